import { Anchor, Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "react-router";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import { useMay, useSeesAll } from "../api/context";
import { type Problem, problemOf } from "../api/errors";
import { CancelRunDocument, GoingOnDocument, type RunItemFragment } from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { formatCost, formatCount } from "../kit/format";
import { RunsIcon } from "../kit/icons";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { type Column, Rows } from "../kit/Rows";
import { StatusBadge } from "../kit/StatusBadge";
import { useAction } from "../kit/useAction";
import { useEvery } from "../kit/useEvery";
import { useRefreshOn } from "../live/events";
import { StopAll, StoppedNotice } from "./StopAll";

/** Figures of a run grow between its events, too. */
const lookAgainMs = 5_000;

const columns: Column<RunItemFragment>[] = [
  {
    label: "Run",
    render: ({ agent, session, sessionId }) => (
      <>
        <Text fw={600} size="sm">
          {agentName(agent)}
        </Text>
        {sessionId !== null && (
          <Anchor component={Link} lineClamp={1} size="xs" to={`/chat/${sessionId}`}>
            {session?.label ?? "its chat"}
          </Anchor>
        )}
      </>
    ),
  },
  { label: "State", render: ({ status }) => <StatusBadge status={status} /> },
  { label: "User", render: ({ userId }) => userId },
  { label: "Channel", render: ({ channel }) => channel },
  {
    label: "Model",
    wideOnly: true,
    render: ({ model, providerName }) => (
      <Text size="xs">
        {providerName} / {model}
      </Text>
    ),
  },
  { label: "Since", render: ({ startedAt }) => <Age at={startedAt} /> },
  {
    label: "Tokens in / out",
    numeric: true,
    render: (run) => `${formatCount(run.inputTokens)} / ${formatCount(run.outputTokens)}`,
  },
  { label: "Cost so far", numeric: true, render: ({ costUsd }) => (costUsd === null ? "–" : formatCost(costUsd)) },
];

export default function RunsPage() {
  const seesAll = useSeesAll();
  const isAdmin = useMay("ADMIN");
  const mayWrite = useMay("WRITE");
  const [{ data, error }, execute] = useQuery({ query: GoingOnDocument });
  const refresh = () => execute({ requestPolicy: "network-only" });
  const [stopping, stopper] = useDisclosure(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const cancel = useAction(CancelRunDocument);
  useRefreshOn(["run", "tool", "run_stop"], refresh);
  useEvery(lookAgainMs, refresh);

  const stop = async (runId: string) => {
    const outcome = await cancel.run({ runId });
    setProblem(outcome.problem);
    refresh();
  };
  const runs = data ? [...data.running.nodes, ...data.queued.nodes] : [];
  const more = data !== undefined && (data.running.pageInfo.hasNextPage || data.queued.pageInfo.hasNextPage);
  const stopped = data?.runsState.stop ?? null;

  return (
    <Page
      actions={
        isAdmin &&
        !stopped && (
          <Button color="red" onClick={stopper.open} variant="light">
            Stop all runs
          </Button>
        )
      }
      lead={`What agents are doing at this moment${seesAll ? ", for everybody" : " for you"}. Runs that have ended are under Traces.`}
      title="Runs"
    >
      {stopped && <StoppedNotice isAdmin={isAdmin} onResumed={refresh} stop={stopped} />}
      {error && !data && <ProblemNotice onRetry={refresh} problem={problemOf(error)} />}
      {problem && <ProblemNotice problem={problem} />}
      {!data && !error && <Loading />}
      {data && runs.length === 0 && (
        <EmptyState icon={<RunsIcon size={40} />} title="Nothing is running">
          A run appears here as soon as somebody speaks to an agent, or a job wakes one.
        </EmptyState>
      )}
      {runs.length > 0 && (
        <Rows
          actions={({ id, agent }) =>
            mayWrite && (
              <Button
                aria-label={`Stop the run of ${agentName(agent)}`}
                color="red"
                onClick={() => void stop(id)}
                size="compact-sm"
                variant="subtle"
              >
                Stop
              </Button>
            )
          }
          caption="Runs"
          columns={columns}
          items={runs}
          keyOf={({ id }) => id}
        />
      )}
      {more && (
        <Text c="dimmed" size="sm">
          Only the newest 100 of each state are shown.
        </Text>
      )}
      <StopAll onClose={stopper.close} onStopped={refresh} opened={stopping} />
    </Page>
  );
}
