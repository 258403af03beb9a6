import type { MessageFieldsFragment, RunEventsSubscription, RunFieldsFragment, RunStatus } from "../gql/graphql";
import type { ToolStep } from "./steps";

export type RunEvent = RunEventsSubscription["runEvents"];

/** What a run did, and how many characters of its answer came before that. */
export type LiveStep =
  | { kind: "tool"; offset: number; step: ToolStep }
  | { kind: "thinking"; offset: number; text: string }
  | { kind: "said"; offset: number; text: string };

/** A model call that failed, and the one that is made instead. */
export interface Retry {
  provider: string;
  attempt: number;
  maxAttempts: number;
  errorCode: string;
}

/** An answer while it is being written. */
export interface LiveRun {
  run: RunFieldsFragment;
  /** The answer so far. */
  text: string;
  steps: readonly LiveStep[];
  /** Until the model says something. */
  retry: Retry | null;
  /** Pieces were missed; the text is completed when the run ends or the stream restarts. */
  incomplete: boolean;
  ended: boolean;
  /** The stored answer, known once the run has ended. */
  message: MessageFieldsFragment | null;
}

export function begin(run: RunFieldsFragment): LiveRun {
  return { run, text: "", steps: [], retry: null, incomplete: false, ended: !goesOn(run.status), message: null };
}

/** Whether a run may still say something. */
export function goesOn(status: RunStatus): boolean {
  return status === "RUNNING" || status === "QUEUED";
}

export function applyRunEvent(live: LiveRun, event: RunEvent): LiveRun {
  if (event.__typename === "RunRetrying") return live.ended ? live : { ...live, retry: event };
  const next = applyTold(live, event);
  return next.retry !== null && answers.has(event.__typename) ? { ...next, retry: null } : next;
}

/** What shows that the call which was made once more is answered. */
const answers = new Set<string | undefined>(["RunText", "RunThinking", "RunToolCall", "RunEnded"]);

function applyTold(live: LiveRun, event: RunEvent): LiveRun {
  switch (event.__typename) {
    case "RunStarted":
      // All that was done and said is told once more after it.
      return live.ended ? live : begin(event.run);
    case "RunText":
      return live.ended ? live : applyText(live, event.offset, event.text);
    case "RunThinking":
      return live.ended ? live : applyThinking(live, event.offset, event.text, event.answerOffset);
    case "RunToolCall": {
      const { callId, name, offset } = event;
      const step = { callId, name, arguments: event.arguments, result: null, isError: false, durationMs: null };
      return { ...live, steps: [...live.steps, { kind: "tool", offset, step }] };
    }
    case "RunToolResult":
      return { ...live, steps: live.steps.map((each) => withResult(each, event)) };
    case "RunInjected":
      return { ...live, steps: [...live.steps, { kind: "said", offset: lastOffset(live), text: event.said }] };
    case "RunEnded":
      return {
        ...live,
        run: event.run,
        text: live.steps.length > 0 && live.text !== "" ? live.text : (event.message?.content ?? live.text),
        incomplete: false,
        ended: true,
        message: event.message,
      };
    default:
      // Told of something that is not shown here.
      return live;
  }
}

interface Result {
  callId: string;
  isError: boolean;
  result: string;
  durationMs: number | null;
}

function withResult(each: LiveStep, { callId, isError, result, durationMs }: Result): LiveStep {
  if (each.kind !== "tool" || each.step.callId !== callId) return each;
  return { ...each, step: { ...each.step, isError, result, durationMs } };
}

/** What was said meanwhile stands behind all that is known. */
function lastOffset({ text, steps }: LiveRun): number {
  return Math.max(Array.from(text).length, steps.at(-1)?.offset ?? 0);
}

export type Segment = { kind: "text"; text: string } | LiveStep;

/** Text and steps in the order they came. */
export function segments({ text, steps }: LiveRun): Segment[] {
  const characters = Array.from(text);
  const found: Segment[] = [];
  let from = 0;
  const write = (to: number) => {
    const piece = characters.slice(from, to).join("").trim();
    if (piece !== "") found.push({ kind: "text", text: piece });
    from = Math.max(from, to);
  };
  for (const step of steps) {
    write(step.offset);
    found.push(step);
  }
  write(characters.length);
  return found;
}

/** What was thought before a tool call, by the call's id. */
export type Thinking = ReadonlyMap<string, string>;

/**
 * A follower who comes late is not told what was thought in steps that are stored already. It
 * comes before what the model then said, and called.
 */
export function withStoredThinking(parts: readonly Segment[], thinking: Thinking): Segment[] {
  const found: Segment[] = [];
  let since = 0;
  for (const part of parts) {
    const text = part.kind === "tool" ? thinking.get(part.step.callId) : undefined;
    const step = found.slice(since);
    if (part.kind === "tool" && text !== undefined && !step.some(({ kind }) => kind === "thinking")) {
      const said = step.findIndex(({ kind }) => kind === "text");
      const place = said === -1 ? found.length : since + said;
      found.splice(place, 0, { kind: "thinking", offset: part.offset, text });
    }
    found.push(part);
    if (part.kind === "tool") since = found.length;
  }
  return found;
}

/**
 * A run that is stored as ended has ended, though the stream has not said so yet: it may be
 * late, or lost.
 */
export function settle(live: LiveRun | null, stored: readonly RunFieldsFragment[]): LiveRun | null {
  if (!live || live.ended) return live;
  const run = stored.find(({ id, status }) => id === live.run.id && !goesOn(status));
  return run ? { ...live, run, ended: true } : live;
}

/**
 * Each model call thinks from offset 0 on. A follower who comes back is told once more what he has
 * seen, and that stands last.
 */
function applyThinking(live: LiveRun, offset: number, piece: string, place: number): LiveRun {
  const last = live.steps.at(-1);
  const goesOn = last?.kind === "thinking" && last.offset === place;
  const known = goesOn ? Array.from(last.text) : [];
  if (offset > known.length) return live;
  const text = known.slice(0, offset).join("") + piece;
  const before = goesOn ? live.steps.slice(0, -1) : live.steps;
  return { ...live, steps: [...before, { kind: "thinking", offset: place, text }] };
}

/**
 * Offsets count characters (code points), not UTF-16 units. A piece may overlap what is known,
 * after a reconnect; offset 0 starts the answer again.
 */
function applyText(live: LiveRun, offset: number, text: string): LiveRun {
  if (offset === 0) return { ...live, text, incomplete: false };
  const known = Array.from(live.text);
  if (offset > known.length) return { ...live, incomplete: true };
  if (live.incomplete) return live;
  return { ...live, text: known.slice(0, offset).join("") + text };
}
