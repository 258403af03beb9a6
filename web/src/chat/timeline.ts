import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import type { LiveRun } from "./run";

export type TimelineItem =
  | { kind: "message"; key: string; message: MessageFieldsFragment; run: RunFieldsFragment | null }
  | { kind: "pending"; key: string; text: string }
  | { kind: "live"; key: string; live: LiveRun }
  | { kind: "problem"; key: string; run: RunFieldsFragment };

interface Conversation {
  messages: readonly MessageFieldsFragment[];
  runs: readonly RunFieldsFragment[];
  live: LiveRun | null;
  /** What was just sent, until it comes back as a stored message. */
  sent: string | null;
}

/** Stored messages, what is being written, and how runs failed, in reading order. */
export function timeline({ messages, runs, live, sent }: Conversation): TimelineItem[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  if (live?.ended) byId.set(live.run.id, live.run);
  const lastOfRun = new Map(messages.map(({ runId, id }) => [runId, id]));
  const items: TimelineItem[] = [];

  for (const message of messages) {
    if (message.role === "SYSTEM") continue;
    const run = (message.runId !== null && byId.get(message.runId)) || null;
    items.push({ kind: "message", key: message.id, message, run });
    if (run && lastOfRun.get(run.id) === message.id) items.push(...ending(run, messages, live));
  }
  if (sent !== null && !isStored(messages, live)) items.push({ kind: "pending", key: "sent", text: sent });
  if (live && !live.ended) items.push({ kind: "live", key: live.run.id, live });
  else if (live && !lastOfRun.has(live.run.id)) items.push(...ending(live.run, messages, live));
  return items;
}

/** What follows the last stored message of a run that has ended. */
function ending(
  run: RunFieldsFragment,
  messages: readonly MessageFieldsFragment[],
  live: LiveRun | null,
): TimelineItem[] {
  const items: TimelineItem[] = [];
  const answered = messages.some(({ runId, role }) => runId === run.id && role === "ASSISTANT");
  if (live?.ended && live.run.id === run.id && live.text !== "" && !answered) {
    items.push({ kind: "live", key: run.id, live });
  }
  if (run.status === "ERROR" || run.status === "CANCELLED") {
    items.push({ kind: "problem", key: `${run.id} end`, run });
  }
  return items;
}

function isStored(messages: readonly MessageFieldsFragment[], live: LiveRun | null): boolean {
  return live !== null && messages.some(({ runId, role }) => role === "USER" && runId === live.run.id);
}
