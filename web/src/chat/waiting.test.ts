import { expect, it } from "vitest";
import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import { begin, type LiveRun } from "./run";
import { hasWaiting, waitingOf } from "./waiting";

const live = begin({ id: "r1", status: "RUNNING" } as RunFieldsFragment);

function taking(...texts: string[]): LiveRun {
  return { ...live, steps: texts.map((text) => ({ kind: "said", offset: 0, text })) };
}

function asked(content: string): MessageFieldsFragment {
  return { runId: "r1", role: "USER", content } as MessageFieldsFragment;
}

it("is shown by itself until the run tells of it", () => {
  expect(waitingOf(["a", "b"], live, [asked("question")])).toEqual(["a", "b"]);
  expect(waitingOf(["a", "b"], taking("a"), [])).toEqual(["b"]);
  expect(waitingOf(["a", "b"], taking("a", "b"), [])).toEqual([]);
});

it("takes a stored message as taken, but for the question", () => {
  expect(waitingOf(["a"], live, [asked("a")])).toEqual(["a"]);
  expect(waitingOf(["a"], live, [asked("question"), asked("a")])).toEqual([]);
});

it("counts the same words said twice", () => {
  expect(waitingOf(["a", "a"], taking("a"), [asked("question"), asked("a")])).toEqual(["a"]);
});

it("knows a long text by its beginning", () => {
  const long = "x".repeat(2_000);
  expect(waitingOf([long], taking(`${long.slice(0, 999)}…`), [])).toEqual([]);
});

it("waits until as much is stored behind the question", () => {
  expect(hasWaiting(taking("a"), [asked("question")])).toBe(true);
  expect(hasWaiting(taking("a"), [asked("question"), asked("a")])).toBe(false);
  expect(hasWaiting({ ...taking("a"), ended: true }, [])).toBe(false);
});

it("waits for nothing once the run has ended", () => {
  expect(waitingOf(["a"], { ...live, ended: true }, [])).toEqual([]);
});
