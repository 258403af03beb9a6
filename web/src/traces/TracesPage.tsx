import { Anchor, Group, Select, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import {
  type RunStatus,
  TraceFiltersDocument,
  type TraceItemFragment,
  TracesDocument,
  type TracesQuery,
} from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { formatCost, formatCount, formatDuration } from "../kit/format";
import { TraceIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { runStatuses, StatusBadge } from "../kit/StatusBadge";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";

const pick = (data: TracesQuery) => data.traces;

const columns: Column<TraceItemFragment>[] = [
  {
    label: "Trace",
    render: (trace) => (
      <>
        <Anchor component={Link} fw={600} lineClamp={1} size="sm" to={`/traces/${trace.id}`}>
          {trace.inputPreview ?? trace.name}
        </Anchor>
        <Text c="dimmed" size="xs">
          <Age at={trace.startTime} /> · {trace.channel}
        </Text>
      </>
    ),
  },
  { label: "Status", render: ({ status }) => <StatusBadge status={status} /> },
  { label: "Agent", render: ({ agent }) => (agent ? agentName(agent) : "deleted") },
  {
    label: "Tokens in / out",
    numeric: true,
    render: (trace) => `${formatCount(trace.totalInputTokens)} / ${formatCount(trace.totalOutputTokens)}`,
  },
  { label: "Cost", numeric: true, render: ({ totalCostUsd }) => <Cost value={totalCostUsd} /> },
  { label: "Duration", numeric: true, render: ({ durationMs }) => formatDuration(durationMs) },
];

export default function TracesPage() {
  const [agentId, setAgentId] = useState<string | null>(null);
  const [status, setStatus] = useState<RunStatus | null>(null);
  const variables = useMemo(() => ({ agentId, status }), [agentId, status]);
  const [{ data: filters }] = useQuery({ query: TraceFiltersDocument });
  const pages = usePages(TracesDocument, variables, pick);
  useRefreshOn(["run", "trace"], pages.refresh);
  const filtered = agentId !== null || status !== null;

  return (
    <Page lead="What happened in each run: calls, messages, tokens, cost and time." title="Traces">
      <Group gap="sm">
        <Select
          aria-label="Agent"
          clearable
          data={filters?.agents.nodes.map((agent) => ({ value: agent.id, label: agentName(agent) })) ?? []}
          flex="1 1 150px"
          maw={240}
          onChange={setAgentId}
          placeholder="All agents"
          value={agentId}
        />
        <Select
          aria-label="Status"
          clearable
          data={runStatuses}
          flex="1 1 130px"
          maw={200}
          onChange={(value) => setStatus(value as RunStatus | null)}
          placeholder="Every status"
          value={status}
        />
      </Group>
      <List
        {...pages}
        empty={
          filtered ? (
            <EmptyState icon={<TraceIcon size={40} />} title="Nothing matches">
              Choose another agent or status.
            </EmptyState>
          ) : (
            <EmptyState
              action={
                <Anchor component={Link} to="/chat">
                  Start a chat
                </Anchor>
              }
              icon={<TraceIcon size={40} />}
              title="No traces yet"
            >
              Every answer leaves one. Chat with an agent, or call it at /v1/chat/completions.
            </EmptyState>
          )
        }
      >
        {(traces) => <Rows caption="Traces" columns={columns} items={traces} keyOf={({ id }) => id} />}
      </List>
    </Page>
  );
}

function Cost({ value }: { value: string | null }) {
  return value === null ? (
    <Text c="dimmed" component="span" size="sm" title="No price is known for this model">
      unknown
    </Text>
  ) : (
    formatCost(value)
  );
}
