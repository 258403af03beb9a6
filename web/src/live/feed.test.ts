import { describe, expect, it } from "vitest";
import { Feed, type GatewayEvent, matches } from "./feed";

function event(cursor: string, kind = "agent.created"): GatewayEvent {
  return {
    cursor,
    kind,
    at: "2026-11-23T12:00:00Z",
    topic: "agents",
    userId: "ada",
    agentId: null,
    payload: { key: "scribe" },
  };
}

describe("Feed", () => {
  it("keeps the newest first and no more than its limit", () => {
    const feed = new Feed(2);
    for (const cursor of ["1", "2", "3"]) feed.push(event(cursor));
    expect(feed.read().map(({ cursor }) => cursor)).toEqual(["3", "2"]);
  });

  it("takes an event once, though a reconnect may deliver it twice", () => {
    const feed = new Feed(10);
    const heard: unknown[] = [];
    feed.subscribe((each) => heard.push(each));
    feed.push(event("1"));
    feed.push(event("1"));
    expect(heard).toHaveLength(1);
  });
});

it("filters by every word", () => {
  expect(matches(event("1"), "")).toBe(true);
  expect(matches(event("1"), "Agent scribe")).toBe(true);
  expect(matches(event("1"), "agent bob")).toBe(false);
});
