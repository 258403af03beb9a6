import { Anchor, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import { makeProblem, problemOf } from "../api/errors";
import { RunOutcomeDocument, TraceDetailDocument, type TraceDetailQuery } from "../gql/graphql";
import { formatCost, formatCount, formatDateTime, formatDuration } from "../kit/format";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { StatusBadge } from "../kit/StatusBadge";
import { useRefreshOn } from "../live/events";
import { SpanDetail } from "./SpanDetail";
import { Waterfall } from "./Waterfall";

export type Trace = TraceDetailQuery["trace"];
export type Span = Trace["spans"][number];

const back = { to: "/traces", label: "Traces" };

export default function TracePage() {
  const { id = "" } = useParams();
  const [{ data, error, fetching }, execute] = useQuery({ query: TraceDetailDocument, variables: { id } });
  const refresh = () => execute({ requestPolicy: "network-only" });
  useRefreshOn(["run", "trace"], () => {
    if (data?.trace.status === "RUNNING" || error) refresh();
  });
  const trace = data?.trace;

  if (!trace) {
    return (
      <Page back={back} title="Trace">
        {error && !fetching ? <ProblemNotice onRetry={refresh} problem={problemOf(error)} /> : <Loading />}
      </Page>
    );
  }
  return (
    <Page
      actions={<StatusBadge status={trace.status} />}
      back={back}
      lead={<Origin trace={trace} />}
      title={trace.name}
    >
      <Figures trace={trace} />
      {trace.status === "ERROR" && <Failure trace={trace} />}
      <Spans key={trace.id} trace={trace} />
    </Page>
  );
}

function Origin({ trace }: { trace: Trace }) {
  return (
    <>
      {formatDateTime(trace.startTime)}
      {trace.agent && (
        <>
          {" · "}
          <Anchor component={Link} size="sm" to={`/agents/${trace.agent.id}`} underline="always">
            {agentName(trace.agent)}
          </Anchor>
        </>
      )}
      {` · ${trace.userId} · ${trace.channel}`}
      {trace.sessionId !== null && (
        <>
          {" · "}
          <Anchor component={Link} size="sm" to={`/chat/${trace.sessionId}`} underline="always">
            Open the chat
          </Anchor>
        </>
      )}
    </>
  );
}

function Figures({ trace }: { trace: Trace }) {
  const { llmCallCount, totalInputTokens, totalOutputTokens } = trace;
  const known = llmCallCount === 0 || totalInputTokens > 0 || totalOutputTokens > 0;
  const figures = [
    ["Duration", formatDuration(trace.durationMs)],
    ["Tokens in", known ? formatCount(totalInputTokens) : "unknown"],
    ["Tokens out", known ? formatCount(totalOutputTokens) : "unknown"],
    ["Cost", formatCost(trace.totalCostUsd)],
    ["Model calls", formatCount(llmCallCount)],
    ["Tool calls", formatCount(trace.toolCallCount)],
  ] as const;
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 6 }} component="dl" m={0} spacing="sm">
      {figures.map(([label, value]) => (
        <Card key={label} padding="sm" withBorder>
          <Text c="dimmed" component="dt" size="xs">
            {label}
          </Text>
          <Text component="dd" fw={600} m={0} style={{ fontVariantNumeric: "tabular-nums" }}>
            {value}
          </Text>
        </Card>
      ))}
    </SimpleGrid>
  );
}

/** The trace knows the text of the failure, its run the code that says what to do. */
function Failure({ trace }: { trace: Trace }) {
  const [{ data }] = useQuery({
    query: RunOutcomeDocument,
    variables: { id: trace.runId ?? "" },
    pause: trace.runId === null,
  });
  const message = trace.error ?? data?.run.errorMessage ?? "";
  return (
    <ProblemNotice problem={makeProblem(data?.run.errorCode ?? "internal", message)} title="The run failed" />
  );
}

function Spans({ trace }: { trace: Trace }) {
  const [chosenId, setChosenId] = useState<string | null>(null);
  const chosen =
    trace.spans.find(({ id }) => id === chosenId) ??
    trace.spans.find(({ spanType }) => spanType === "LLM_CALL") ??
    trace.spans[0];
  if (!chosen) {
    return (
      <Text c="dimmed" size="sm">
        This trace has no spans yet. They are written a moment after the run.
      </Text>
    );
  }
  return (
    <Stack>
      <Group gap="xs">
        <Title order={2}>Spans</Title>
        <Text c="dimmed" size="sm">
          Choose one to see what was said.
        </Text>
      </Group>
      <Waterfall chosen={chosen.id} onChoose={setChosenId} spans={trace.spans} />
      <SpanDetail span={chosen} />
    </Stack>
  );
}
