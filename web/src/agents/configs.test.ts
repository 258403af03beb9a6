import { expect, it } from "vitest";
import { toolChoice, toolsConfigOf, withoutEmpty } from "./configs";

const stored = { profile: "coding", deny: ["edit"], byProvider: { local: { profile: "none" } } };

it("reads a choice of tools, whatever else is there", () => {
  expect(toolChoice(stored)).toEqual({ profile: "coding", allow: [], alsoAllow: [], deny: ["edit"] });
  expect(toolChoice({ allow: "edit", deny: [7, "edit"] })).toMatchObject({ allow: [], deny: ["edit"] });
  expect(toolChoice(undefined).profile).toBe("");
});

it("keeps what the form does not know, and leaves out what is empty", () => {
  const choice = { ...toolChoice(stored), profile: "", allow: ["group:fs"] };
  expect(toolsConfigOf(stored, choice)).toEqual({
    allow: ["group:fs"],
    deny: ["edit"],
    byProvider: stored.byProvider,
  });
  expect(toolsConfigOf({}, toolChoice({}))).toEqual({});
  expect(withoutEmpty({ a: 0, b: false, c: null, d: "" })).toEqual({ a: 0, b: false });
});
