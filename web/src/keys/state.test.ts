import { describe, expect, it } from "vitest";
import type { ApiKeyItemFragment } from "../gql/graphql";
import { agentsOf, graceChoices, graceOf, revocation, rotation, stateOf } from "./state";

const now = Date.parse("2026-11-23T12:00:00Z");
const names = new Map([["a1", "Scribe"]]);
const key: ApiKeyItemFragment = {
  id: "k1",
  name: "report",
  prefix: "abcdefgh",
  scopes: ["READ"],
  userId: null,
  agentIds: null,
  rateLimitPerMinute: null,
  expiresAt: null,
  previousUntil: null,
  lastUsedAt: null,
  lastUsedAddress: null,
  callsToday: 0,
  revoked: false,
  createdBy: "system",
  createdAt: "2026-11-20T12:00:00Z",
};

it.each([
  [{}, "works"],
  [{ expiresAt: "2026-11-23T12:00:01Z" }, "works"],
  [{ expiresAt: "2026-11-23T12:00:00Z" }, "expired"],
  [{ revoked: true, expiresAt: "2026-11-23T11:00:00Z" }, "revoked"],
])("of %o is %s", (change, state) => {
  expect(stateOf({ ...key, ...change }, now)).toBe(state);
});

it("names agents it knows, and tells others apart", () => {
  expect(agentsOf(key, names)).toBeNull();
  expect(agentsOf({ ...key, agentIds: ["a1", "0123456789"] }, names)).toBe("Scribe, agent 456789");
});

it("has a grace until the secret before has ended, or the key", () => {
  const previousUntil = "2026-11-23T13:00:00Z";
  expect(graceOf({ ...key, previousUntil }, now)).toBe(previousUntil);
  expect(graceOf({ ...key, previousUntil, revoked: true }, now)).toBeNull();
  expect(graceOf({ ...key, previousUntil: "2026-11-23T12:00:00Z" }, now)).toBeNull();
});

describe("revocation", () => {
  it("says whom it hits and when the key was used", () => {
    const bound = { userId: "bob", agentIds: ["a1"], lastUsedAt: "2026-11-23T11:57:00Z", callsToday: 1234 };
    const text = revocation({ ...key, ...bound, lastUsedAddress: "10.0.0.9" }, names, now).join(" ");
    expect(text).toContain("the user bob");
    expect(text).toContain("only Scribe");
    expect(text).toContain("last used 3 minutes ago from 10.0.0.9. Calls today: 1,234.");
    expect(text).toContain("open streams");
  });

  it("says that a key was never used", () => {
    expect(revocation(key, names, now).join(" ")).toContain("never used");
  });
});

describe("rotation", () => {
  it("tells what becomes of the old secret, for every choice", () => {
    for (const { value } of graceChoices) {
      const text = rotation(key, Number(value), now).join(" ");
      expect(text).toContain(value === "0" ? "refused at once" : "goes on working for one");
    }
  });

  it("tells that an earlier grace ends", () => {
    const rotated = { ...key, previousUntil: "2026-11-23T13:00:00Z" };
    expect(rotation(rotated, 3_600, now).join(" ")).toContain("still works; it ends at once");
    expect(rotation(key, 3_600, now).join(" ")).not.toContain("still works");
  });
});
