import type { MessageFieldsFragment, RunEventsSubscription, RunFieldsFragment } from "../gql/graphql";

export type RunEvent = RunEventsSubscription["runEvents"];

/** An answer while it is being written. */
export interface LiveRun {
  run: RunFieldsFragment;
  /** The answer so far. */
  text: string;
  /** Pieces were missed; the text is completed when the run ends or the stream restarts. */
  incomplete: boolean;
  ended: boolean;
  /** The stored answer, known once the run has ended. */
  message: MessageFieldsFragment | null;
}

export function begin(run: RunFieldsFragment): LiveRun {
  return { run, text: "", incomplete: false, ended: run.status !== "RUNNING", message: null };
}

export function applyRunEvent(live: LiveRun, event: RunEvent): LiveRun {
  switch (event.__typename) {
    case "RunStarted":
      return { ...live, run: event.run };
    case "RunText":
      return live.ended ? live : applyText(live, event.offset, event.text);
    case "RunEnded":
      return {
        run: event.run,
        text: event.message?.content ?? live.text,
        incomplete: false,
        ended: true,
        message: event.message,
      };
  }
}

/**
 * A run that is stored as ended has ended, though the stream has not said so yet: it may be
 * late, or lost.
 */
export function settle(live: LiveRun | null, stored: readonly RunFieldsFragment[]): LiveRun | null {
  if (!live || live.ended) return live;
  const run = stored.find(({ id, status }) => id === live.run.id && status !== "RUNNING");
  return run ? { ...live, run, ended: true } : live;
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
