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
    takesMore: false,
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
  isError: false,
  thinking: null,
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

  it("leads to a trace once, from half an answer that is stored, else from its failure", () => {
    const traced = (...messages: MessageFieldsFragment[]) =>
      timeline({ messages, runs: [run("r1", "CANCELLED")], live: null, sent: null }).at(-1);
    expect(traced(asked, answered)).toMatchObject({ kind: "problem", traced: true });
    expect(traced(asked)).toMatchObject({ kind: "problem", traced: false });
  });

  it("keeps half an answer in front of its failure", () => {
    const live: LiveRun = { ...begin(run("r1", "ERROR")), text: "Hel", ended: true };
    expect(kinds(timeline({ messages: [asked], runs: [], live, sent: null }))).toEqual(["q1", "live", "problem"]);
  });

  const step = {
    ...message("a0", "ASSISTANT", "r1", ""),
    thinking: "Is it there?",
    toolCalls: [{ id: "c1", name: "read_file", arguments: "{}" }],
  };
  const result = { ...message("t1", "TOOL", "r1", "there"), toolCallId: "c1", createdAt: "2026-11-23T12:00:01Z" };

  it("puts results to their calls, and the run behind its last words", () => {
    const messages = [asked, step, result, answered];
    const items = timeline({ messages, runs: [run("r1")], live: null, sent: null });
    expect(kinds(items)).toEqual(["q1", "a0", "a1"]);
    expect(items[1]).toMatchObject({ run: null, opens: true, steps: [{ result: "there", durationMs: 1000 }] });
    expect(items[2]).toMatchObject({ run: { id: "r1" }, opens: false, steps: [] });
  });

  it("shows a result alone whose call is on an older page", () => {
    const items = timeline({ messages: [result, answered], runs: [], live: null, sent: null });
    expect(kinds(items)).toEqual(["tool", "a1"]);
  });

  it("shows the steps of a run that goes on once, with what was thought before them", () => {
    const live = begin(run("r1", "RUNNING"));
    const items = timeline({ messages: [asked, step, result], runs: [], live, sent: null });
    expect(kinds(items)).toEqual(["q1", "live"]);
    expect(items[1]).toMatchObject({ thinking: new Map([["c1", "Is it there?"]]) });
  });

  it("keeps a live answer until its last words are stored", () => {
    const live: LiveRun = { ...begin(run("r1")), text: "a1", ended: true, message: answered };
    expect(kinds(timeline({ messages: [asked, step], runs: [], live, sent: null }))).toEqual(["q1", "live"]);
  });

  it("puts what waits behind everything", () => {
    const live = begin(run("r1", "RUNNING"));
    const items = timeline({ messages: [asked], runs: [], live, sent: null, waiting: ["hurry"] });
    expect(kinds(items)).toEqual(["q1", "live", "pending"]);
  });

  it("leaves out system messages", () => {
    const items = timeline({ messages: [message("x", "SYSTEM", "r1")], runs: [], live: null, sent: null });
    expect(items).toEqual([]);
  });
});
