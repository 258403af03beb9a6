import { describe, expect, it } from "vitest";
import { advance, backoffMs, cursorOf } from "./resume";

describe("cursorOf", () => {
  it("finds the cursor below the root field", () => {
    expect(cursorOf({ events: { cursor: "c1", kind: "agent.created" } })).toBe("c1");
  });

  it("is null for messages without one", () => {
    expect(cursorOf({ runEvents: { offset: 3, text: "abc" } })).toBeNull();
    expect(cursorOf(null)).toBeNull();
  });
});

describe("advance", () => {
  it("moves after on and keeps the other variables", () => {
    const payload: { variables?: Record<string, unknown> } = { variables: { runId: "r", after: "old" } };
    advance(payload, { runEvents: { cursor: "new" } });
    expect(payload.variables).toEqual({ runId: "r", after: "new" });
  });

  it("leaves the payload alone when there is no cursor", () => {
    const payload = { variables: { after: "old" } };
    advance(payload, { runEvents: { offset: 0, text: "" } });
    expect(payload.variables.after).toBe("old");
  });
});

describe("backoffMs", () => {
  it("doubles up to a ceiling", () => {
    expect([0, 1, 2, 20].map((attempt) => backoffMs(attempt, 0))).toEqual([500, 1000, 2000, 15000]);
    expect(backoffMs(20, 1)).toBe(18000);
  });
});
