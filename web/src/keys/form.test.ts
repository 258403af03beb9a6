import { expect, it } from "vitest";
import { createInput, newKey, validation } from "./form";

const now = Date.parse("2026-11-23T12:00:00Z");

it("leaves out what was not chosen", () => {
  expect(createInput({ ...newKey, name: " report " }, now)).toEqual({
    name: "report",
    scopes: ["WRITE"],
    expiresInS: 90 * 86_400,
    userId: null,
    agentIds: null,
    rateLimitPerMinute: null,
  });
});

it("sends what was chosen", () => {
  const values = { ...newKey, name: "r", lasts: "never", userId: " bob ", agentIds: ["a1"], rateLimitPerMinute: 60 };
  expect(createInput(values, now)).toMatchObject({
    expiresInS: null,
    userId: "bob",
    agentIds: ["a1"],
    rateLimitPerMinute: 60,
  });
});

it("keeps administrators' keys and agents apart", () => {
  expect(validation.agentIds(["a1"], { ...newKey, scopes: ["ADMIN"] })).toMatch(/reaches all agents/);
  expect(validation.agentIds(["a1"], newKey)).toBeNull();
  expect(validation.agentIds([], { ...newKey, scopes: ["ADMIN"] })).toBeNull();
});
