import { describe, expect, it } from "vitest";
import type { MessageFieldsFragment, MessageRole, RunFieldsFragment, RunStatus } from "../gql/graphql";
import { begin, type LiveRun } from "./run";
import { timeline } from "./timeline";

function run(id: string, status: RunStatus = "COMPLETED"): RunFieldsFragment {
  return {
    id,
    sessionId: "s",
    traceId: `t-${id}`,
    status,
    model: "m",
    providerName: "p",
    inputTokens: 1,
    outputTokens: 1,
    costUsd: null,
    errorCode: status === "ERROR" ? "upstream_cut" : null,
    errorMessage: null,
    startedAt: "2026-11-23T12:00:00Z",
    endedAt: null,
  };
}

function message(id: string, role: MessageRole, runId: string, content = id): MessageFieldsFragment {
  return {
    id,
    seq: 0,
    role,
    name: null,
    content,
    parts: null,
    toolCalls: null,
    toolCallId: null,
    runId,
    createdAt: "2026-11-23T12:00:00Z",
  };
}

function kinds(items: ReturnType<typeof timeline>) {
  return items.map((item) => (item.kind === "message" ? item.message.id : item.kind));
}

const asked = message("q1", "USER", "r1");
const answered = message("a1", "ASSISTANT", "r1");

describe("timeline", () => {
  it("joins messages with their runs", () => {
    const items = timeline({ messages: [asked, answered], runs: [run("r1")], live: null, sent: null });
    expect(items[1]).toMatchObject({ kind: "message", run: { traceId: "t-r1" } });
  });

  it("shows what was sent at once, and once only", () => {
    const live = begin(run("r1", "RUNNING"));
    expect(kinds(timeline({ messages: [], runs: [], live: null, sent: "hi" }))).toEqual(["pending"]);
    expect(kinds(timeline({ messages: [], runs: [], live, sent: "hi" }))).toEqual(["pending", "live"]);
    expect(kinds(timeline({ messages: [asked], runs: [], live, sent: "hi" }))).toEqual(["q1", "live"]);
  });

  it("replaces the live answer by the stored one", () => {
    const live: LiveRun = { ...begin(run("r1")), text: "a1", ended: true, message: answered };
    expect(kinds(timeline({ messages: [asked, answered], runs: [], live, sent: null }))).toEqual(["q1", "a1"]);
    expect(kinds(timeline({ messages: [asked], runs: [], live, sent: null }))).toEqual(["q1", "live"]);
  });

  it("puts a failure behind the messages of its run, whatever came after", () => {
    const later = message("q2", "USER", "r2");
    const items = timeline({
      messages: [asked, later],
      runs: [run("r1", "ERROR"), run("r2", "CANCELLED")],
      live: null,
      sent: null,
    });
    expect(kinds(items)).toEqual(["q1", "problem", "q2", "problem"]);
  });

  it("keeps half an answer in front of its failure", () => {
    const live: LiveRun = { ...begin(run("r1", "ERROR")), text: "Hel", ended: true };
    expect(kinds(timeline({ messages: [asked], runs: [], live, sent: null }))).toEqual(["q1", "live", "problem"]);
  });

  it("leaves out system messages", () => {
    const items = timeline({ messages: [message("x", "SYSTEM", "r1")], runs: [], live: null, sent: null });
    expect(items).toEqual([]);
  });
});
