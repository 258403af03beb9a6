import { describe, expect, it } from "vitest";
import { charactersIn, factsIn, filesOf, sizeLabel, unwrittenLabel } from "./files";

describe("filesOf", () => {
  it("has rules for all users where all share one persona", () => {
    const names = (type: "OPEN" | "PREDEFINED") => filesOf(type).map(({ name }) => name);
    expect(names("PREDEFINED")).toContain("USER_PREDEFINED.md");
    expect(names("OPEN")).not.toContain("USER_PREDEFINED.md");
    expect(names("OPEN")).toContain("BOOTSTRAP.md");
  });
});

describe("unwrittenLabel", () => {
  it("says where the server has a text", () => {
    expect(unwrittenLabel("PREDEFINED", "SOUL.md")).toBe("not written");
    expect(unwrittenLabel("OPEN", "SOUL.md")).toContain("the server's");
    expect(unwrittenLabel("PREDEFINED", "USER.md")).toContain("the server's");
    expect(unwrittenLabel("OPEN", "TOOLS.md")).toBe("not written");
  });
});

describe("charactersIn", () => {
  it("counts as the server does", () => {
    expect(charactersIn("")).toBe(0);
    expect(charactersIn("naïve 🦀")).toBe(7);
  });
});

describe("sizeLabel", () => {
  it("knows one from many", () => {
    expect(sizeLabel(1)).toBe("1 character");
    expect(sizeLabel(12_345)).toBe("12,345 characters");
  });
});

describe("factsIn", () => {
  it("takes what is there", () => {
    expect(factsIn({ team: "blue" })).toEqual([["team", "blue"]]);
    expect(factsIn(null)).toEqual([]);
  });
});
