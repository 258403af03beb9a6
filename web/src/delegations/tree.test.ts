import { describe, expect, it } from "vitest";
import { type Branch, treeOf } from "./tree";

interface Task {
  id: string;
  parentId: string | null;
}

function written(branches: Branch<Task>[]): string {
  return branches.map(({ task, children }) => `${task.id}${children.length > 0 ? `(${written(children)})` : ""}`).join(" ");
}

describe("treeOf", () => {
  it("puts tasks below those they came of, in the order they were given", () => {
    const tasks = [
      { id: "e", parentId: null },
      { id: "d", parentId: "b" },
      { id: "c", parentId: "a" },
      { id: "b", parentId: "a" },
      { id: "a", parentId: null },
    ];
    expect(written(treeOf(tasks))).toBe("e a(b(d) c)");
  });

  it("leaves a task by itself whose parent is not there yet", () => {
    expect(written(treeOf([{ id: "b", parentId: "a" }]))).toBe("b");
  });
});
