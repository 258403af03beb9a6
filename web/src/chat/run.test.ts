import { describe, expect, it } from "vitest";
import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import { applyRunEvent, begin, type RunEvent, segments, settle, type Segment, withStoredThinking } from "./run";

const run: RunFieldsFragment = {
  id: "r1",
  sessionId: "s1",
  traceId: "t1",
  status: "RUNNING",
  takesMore: true,
  model: "m",
  providerName: "local",
  inputTokens: 0,
  outputTokens: 0,
  costUsd: null,
  errorCode: null,
  errorMessage: null,
  startedAt: "2026-11-23T12:00:00Z",
  endedAt: null,
};

const answer: MessageFieldsFragment = {
  id: "m2",
  seq: 2,
  role: "ASSISTANT",
  name: null,
  content: "Hello there",
  parts: null,
  toolCalls: null,
  toolCallId: null,
  isError: false,
  thinking: null,
  runId: "r1",
  createdAt: "2026-11-23T12:00:02Z",
};

function text(offset: number, piece: string): RunEvent {
  return { __typename: "RunText", offset, text: piece };
}

function play(...events: RunEvent[]) {
  return events.reduce(applyRunEvent, begin(run));
}

describe("applyRunEvent", () => {
  it("appends pieces at their offset", () => {
    expect(play(text(0, "Hel"), text(3, "lo"), text(5, "!")).text).toBe("Hello!");
  });

  it("starts again at offset 0", () => {
    expect(play(text(0, "Hel"), text(3, "lo"), text(0, "Hi")).text).toBe("Hi");
  });

  it("does not repeat what a reconnect delivers twice", () => {
    expect(play(text(0, "Hello"), text(3, "lo wor"), text(9, "ld")).text).toBe("Hello world");
  });

  it("counts characters, not UTF-16 units", () => {
    expect(play(text(0, "👍🏽 "), text(3, "ok")).text).toBe("👍🏽 ok");
  });

  it("shows no text with a hole in it", () => {
    const broken = play(text(0, "Hel"), text(9, "ld"), text(11, "!"));
    expect(broken).toMatchObject({ text: "Hel", incomplete: true });
    expect(applyRunEvent(broken, text(0, "Hello world"))).toMatchObject({
      text: "Hello world",
      incomplete: false,
    });
  });

  it("ends with the stored answer", () => {
    const ended = play(text(0, "Hel"), {
      __typename: "RunEnded",
      run: { ...run, status: "COMPLETED" },
      message: answer,
    });
    expect(ended).toMatchObject({ ended: true, text: "Hello there", message: answer });
    expect(applyRunEvent(ended, text(3, "late"))).toBe(ended);
  });

  it("keeps what was said when a run fails", () => {
    const failed = play(text(0, "Hel"), {
      __typename: "RunEnded",
      run: { ...run, status: "ERROR", errorCode: "upstream_cut" },
      message: null,
    });
    expect(failed).toMatchObject({ ended: true, text: "Hel", run: { errorCode: "upstream_cut" } });
  });
});

function called(callId: string, offset: number): RunEvent {
  return { __typename: "RunToolCall", callId, name: "read_file", arguments: "{}", offset };
}

function came(callId: string): RunEvent {
  return { __typename: "RunToolResult", callId, isError: false, result: "there", durationMs: 12 };
}

const said: RunEvent = { __typename: "RunInjected", said: "hurry" };

describe("steps", () => {
  const live = play(text(0, "Look: "), called("c1", 6), said, came("c1"), text(6, "\n\nFound."));

  it("stand between the pieces of text around them", () => {
    expect(segments(live).map((part) => (part.kind === "tool" ? part.step.result : part.text))).toEqual([
      "Look:",
      "there",
      "hurry",
      "Found.",
    ]);
  });

  it("are in their places also when the text comes last", () => {
    const late = play(called("c1", 6), came("c1"), said, text(0, "Look: \n\nFound."));
    expect(segments(late)).toEqual(segments(live));
  });

  it("are told anew to a follower who comes back", () => {
    const again = [{ __typename: "RunStarted", run } as const, called("c1", 6), said, came("c1"), text(0, live.text)];
    expect(segments(again.reduce(applyRunEvent, live))).toEqual(segments(live));
  });

  it("stay as they are when a call is made once more, which is told until it is answered", () => {
    const retry = { provider: "acme", attempt: 2, maxAttempts: 3, errorCode: "upstream_failed" };
    const again = applyRunEvent(live, { __typename: "RunRetrying", ...retry });
    expect(again.steps).toEqual(live.steps);
    expect(again.retry).toMatchObject(retry);
    expect(applyRunEvent(again, said).retry).toMatchObject(retry);
    expect(applyRunEvent(again, text(Array.from(live.text).length, " More.")).retry).toBeNull();
  });

  it("keep all that was said when the run ends", () => {
    const ended = applyRunEvent(live, {
      __typename: "RunEnded",
      run: { ...run, status: "COMPLETED" },
      message: { ...answer, content: "Found." },
    });
    expect(ended).toMatchObject({ ended: true, text: "Look: \n\nFound." });
  });
});

function thinks(offset: number, text: string, answerOffset: number): RunEvent {
  return { __typename: "RunThinking", offset, text, answerOffset };
}

function wordOf(part: Segment): string {
  return part.kind === "tool" ? part.step.callId : part.text;
}

describe("thinking", () => {
  const live = play(
    thinks(0, "I do ", 0),
    thinks(5, "not know.", 0),
    text(0, "Look:"),
    called("c1", 5),
    came("c1"),
    thinks(0, "Now ", 5),
    thinks(4, "I do.", 5),
    text(5, "\n\nFound."),
  );
  const told = (each: typeof live) => segments(each).map(wordOf);

  it("stands before what was said and done after it", () => {
    expect(told(live)).toEqual(["I do not know.", "Look:", "c1", "Now I do.", "Found."]);
  });

  it("is not told twice to a follower who comes back in the middle of it", () => {
    const thought = play(called("c1", 0), came("c1"), thinks(0, "Now ", 0), thinks(4, "I do.", 0));
    expect(told(applyRunEvent(thought, thinks(0, "Now I do.", 0)))).toEqual(["c1", "Now I do."]);
  });

  it("that is stored stands before what it led to, for a follower who was not told it", () => {
    const late = play(called("c1", 5), came("c1"), called("c2", 12), called("c3", 12), text(0, "Look:\n\nAgain"));
    const parts = withStoredThinking(segments(late), new Map([["c1", "Hm."], ["c2", "So?"]]));
    expect(parts.map(wordOf)).toEqual(["Hm.", "Look:", "c1", "So?", "Again", "c2", "c3"]);
  });

  it("that is stored stands before its call where nothing was said, behind what the user said", () => {
    const late = play(called("c1", 0), came("c1"), said, called("c2", 0));
    const parts = withStoredThinking(segments(late), new Map([["c1", "Hm."], ["c2", "So?"]]));
    expect(parts.map(wordOf)).toEqual(["Hm.", "c1", "hurry", "So?", "c2"]);
  });

  it("that is stored is not told again to who heard it", () => {
    const parts = segments(play(thinks(0, "Hm.", 0), text(0, "Look:"), called("c1", 5)));
    expect(withStoredThinking(parts, new Map([["c1", "Hm."]]))).toEqual(parts);
  });

  it("has no holes", () => {
    expect(told(play(thinks(0, "Now ", 0), thinks(9, "?", 0)))).toEqual(["Now "]);
  });
});

describe("settle", () => {
  const live = play(text(0, "Hel"));

  it("believes the stored end of a run before its stream says so", () => {
    const stopped = { ...run, status: "CANCELLED" as const };
    expect(settle(live, [stopped])).toMatchObject({ ended: true, text: "Hel", run: stopped });
  });

  it("leaves a run alone that is stored as running, or not yet", () => {
    expect(settle(live, [run])).toBe(live);
    expect(settle(live, [])).toBe(live);
    expect(settle(null, [run])).toBeNull();
  });
});
