import { useEffect, useEffectEvent, useReducer } from "react";
import { useClient } from "urql";
import type { Problem } from "../api/errors";
import { follow } from "../api/follow";
import { RunEventsDocument, type RunFieldsFragment } from "../gql/graphql";
import { applyRunEvent, begin, type LiveRun, type RunEvent } from "./run";

interface State {
  live: LiveRun | null;
  problem: Problem | null;
}

type Step = { begin: RunFieldsFragment } | { event: RunEvent } | { problem: Problem };

/** Follows a run from its start, or from where it is, to its end. */
export function useLiveRun(run: RunFieldsFragment | null, onEnd: () => void): State {
  const client = useClient();
  const [state, dispatch] = useReducer(reduce, { live: null, problem: null });
  const onRunEnd = useEffectEvent(onEnd);
  const start = useEffectEvent(() => {
    if (run) dispatch({ begin: run });
  });
  const runId = run?.id;

  useEffect(() => {
    if (runId === undefined) return undefined;
    start();
    return follow(client, RunEventsDocument, { runId }, {
      onData: ({ runEvents }) => {
        dispatch({ event: runEvents });
        if (runEvents.__typename === "RunEnded") onRunEnd();
      },
      onProblem: (problem) => dispatch({ problem }),
    });
  }, [client, runId]);

  return state;
}

function reduce({ live, problem }: State, step: Step): State {
  if ("begin" in step) return { live: begin(step.begin), problem: null };
  if ("problem" in step) return { live, problem: step.problem };
  return { live: live && applyRunEvent(live, step.event), problem };
}
