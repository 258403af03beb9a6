import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import type { LiveRun, Thinking } from "./run";
import { callKey, loneStep, storedSteps, type ToolStep } from "./steps";
import { takenOf } from "./waiting";

export type TimelineItem =
  | StoredItem
  | { kind: "tool"; key: string; step: ToolStep }
  | { kind: "pending"; key: string; text: string; waits: boolean }
  | { kind: "live"; key: string; live: LiveRun; thinking: Thinking; taken: number }
  | { kind: "problem"; key: string; run: RunFieldsFragment; traced: boolean };

interface StoredItem {
  kind: "message";
  key: string;
  message: MessageFieldsFragment;
  steps: ToolStep[];
  /** Where a run's last message stands, the run. */
  run: RunFieldsFragment | null;
  /** It is the first of what the agent says at a stretch. */
  opens: boolean;
}

interface Conversation {
  messages: readonly MessageFieldsFragment[];
  runs: readonly RunFieldsFragment[];
  live: LiveRun | null;
  /** What was just sent, until it comes back as a stored message. */
  sent: string | null;
  /** What was said to the live run and not taken yet. */
  waiting?: readonly string[];
}

/** Stored messages, what is being written, and how runs failed, in reading order. */
export function timeline({ messages, runs, live, sent, waiting = [] }: Conversation): TimelineItem[] {
  const shown = live && !isStored(live, messages) ? live : null;
  const stored = withoutSteps(messages, shown);
  const items = storedItems(stored, messages, runs, live);
  if (sent !== null && !isAsked(messages, live)) {
    items.push({ kind: "pending", key: "sent", text: sent, waits: false });
  }
  if (shown && (!shown.ended || shown.text !== "" || shown.steps.length > 0)) {
    const taken = takenOf(shown, messages).length;
    items.push({ kind: "live", key: shown.run.id, live: shown, thinking: thinkingOf(messages, shown), taken });
  }
  if (shown?.ended) items.push(...ending(shown.run, false));
  waiting.forEach((text, place) =>
    items.push({ kind: "pending", key: `waiting ${place}`, text, waits: true }),
  );
  return items;
}

function storedItems(
  stored: readonly MessageFieldsFragment[],
  messages: readonly MessageFieldsFragment[],
  runs: readonly RunFieldsFragment[],
  live: LiveRun | null,
): TimelineItem[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  if (live?.ended) byId.set(live.run.id, live.run);
  const lastOfRun = new Map(stored.map(({ runId, id }) => [runId, id]));
  const calls = new Set<string>();
  const results = new Map(
    messages.filter(({ role }) => role === "TOOL").map((each) => [callKey(each.runId, each.toolCallId), each]),
  );
  const items: TimelineItem[] = [];
  let speaking: string | null = null;

  for (const message of stored) {
    if (message.role === "SYSTEM") continue;
    const run = (message.runId !== null && byId.get(message.runId)) || null;
    const isLast = lastOfRun.get(message.runId) === message.id;
    if (message.role === "TOOL") {
      const lone = !calls.has(callKey(message.runId, message.toolCallId));
      if (lone) items.push({ kind: "tool", key: message.id, step: loneStep(message) });
    } else {
      const steps = storedSteps(message, results);
      for (const { callId } of steps) calls.add(callKey(message.runId, callId));
      const opens = message.role !== "ASSISTANT" || speaking !== message.runId;
      items.push({ kind: "message", key: message.id, message, steps, run: isLast ? run : null, opens });
      speaking = message.role === "ASSISTANT" ? message.runId : null;
    }
    const goesOnLive = live?.run.id === run?.id && live !== null && !isStored(live, messages);
    if (run && isLast && !goesOnLive) items.push(...ending(run, message.role === "ASSISTANT"));
  }
  return items;
}

/** Of a run that is shown live, what opened it is enough. */
function withoutSteps(
  messages: readonly MessageFieldsFragment[],
  shown: LiveRun | null,
): readonly MessageFieldsFragment[] {
  if (!shown) return messages;
  const ofRun = ({ runId }: MessageFieldsFragment) => runId === shown.run.id;
  const first = messages.findIndex((each) => ofRun(each) && each.role !== "USER" && each.role !== "SYSTEM");
  return first === -1 ? messages : messages.filter((each, place) => place < first || !ofRun(each));
}

/** Whether all that a run said is among the messages. */
function isStored(live: LiveRun, messages: readonly MessageFieldsFragment[]): boolean {
  if (!live.ended) return false;
  const said = messages.filter(({ runId, role }) => runId === live.run.id && role === "ASSISTANT");
  const last = live.message;
  return last ? said.some(({ id }) => id === last.id) : said.length > 0;
}

function isAsked(messages: readonly MessageFieldsFragment[], live: LiveRun | null): boolean {
  return live !== null && messages.some(({ runId, role }) => role === "USER" && runId === live.run.id);
}

/** `traced`: the part of an answer that stands above leads to the trace. */
function ending(run: RunFieldsFragment, traced: boolean): TimelineItem[] {
  const failed = run.status === "ERROR" || run.status === "CANCELLED";
  return failed ? [{ kind: "problem", key: `${run.id} end`, run, traced }] : [];
}

function thinkingOf(messages: readonly MessageFieldsFragment[], live: LiveRun): Thinking {
  const found = new Map<string, string>();
  for (const message of messages) {
    const [first] = message.runId === live.run.id ? storedSteps(message, new Map()) : [];
    if (first && message.thinking !== null) found.set(first.callId, message.thinking);
  }
  return found;
}
