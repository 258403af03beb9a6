import type { MessageFieldsFragment } from "../gql/graphql";
import type { LiveRun } from "./run";

/** What a run is told of what was said meanwhile is cut off at so many characters. */
const previewChars = 1_000;

/** What a run has taken of what was said while it was busy; its question is not among it. */
export function takenOf(live: LiveRun, messages: readonly MessageFieldsFragment[]): MessageFieldsFragment[] {
  const said = messages.filter(({ runId, role }) => runId === live.run.id && role === "USER");
  return said.slice(1);
}

/** Whether something is said that the run has not taken; what it takes, it takes in order. */
export function hasWaiting(live: LiveRun | null, messages: readonly MessageFieldsFragment[]): boolean {
  if (!live || live.ended) return false;
  return live.steps.filter(({ kind }) => kind === "said").length > takenOf(live, messages).length;
}

/** What was said to a run while it was busy, until the run tells of it or it is stored. */
export function waitingOf(
  said: readonly string[],
  live: LiveRun | null,
  messages: readonly MessageFieldsFragment[],
): string[] {
  if (!live || live.ended) return [];
  const told = live.steps.flatMap((step) => (step.kind === "said" ? [step.text] : []));
  const stored = takenOf(live, messages);
  const seen = new Map<string, number>();
  return said.filter((text) => {
    const place = (seen.get(text) ?? 0) + 1;
    seen.set(text, place);
    const taken = Math.max(
      told.filter((each) => isSame(each, text)).length,
      stored.filter(({ content }) => content === text).length,
    );
    return place > taken;
  });
}

function isSame(told: string, text: string): boolean {
  return told === text || (text.length > previewChars && told.slice(0, 900) === text.slice(0, 900));
}
