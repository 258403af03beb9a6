import { Anchor, Box, Group, Progress, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { agentName } from "../agents/names";
import type { ShareFiguresFragment, UsageGroup } from "../gql/graphql";
import { formatCost, formatCount } from "../kit/format";
import { type Column, Rows } from "../kit/Rows";
import { groups } from "./filters";

interface Props {
  by: UsageGroup;
  onBy: (by: string) => void;
  shares: readonly ShareFiguresFragment[];
}

export function Breakdown({ by, onBy, shares }: Props) {
  const all = shares.reduce((sum, share) => sum + tokensOf(share), 0);
  const columns: Column<ShareFiguresFragment>[] = [
    { label: groups.find(({ value }) => value === by)?.label ?? "What", render: (share) => <Name by={by} share={share} /> },
    {
      label: "Share of tokens",
      render: (share) => {
        const percent = all === 0 ? 0 : (100 * tokensOf(share)) / all;
        return (
          <Group gap="xs" miw={140} wrap="nowrap">
            <Progress aria-hidden flex={1} miw={60} value={percent} />
            <Text size="xs">{percent < 1 && percent > 0 ? "< 1" : Math.round(percent)} %</Text>
          </Group>
        );
      },
    },
    {
      label: "Runs",
      numeric: true,
      render: ({ runs, failedRuns }) => `${formatCount(runs)}${failedRuns > 0 ? ` (${formatCount(failedRuns)} failed)` : ""}`,
    },
    {
      label: "Tokens in / out",
      numeric: true,
      render: (share) => `${formatCount(share.inputTokens)} / ${formatCount(share.outputTokens)}`,
    },
    { label: "Cached", numeric: true, render: ({ cachedTokens }) => formatCount(cachedTokens), wideOnly: true },
    { label: "Cost", numeric: true, render: (share) => <Cost share={share} /> },
  ];
  return (
    <Stack component="section" gap="sm">
      <Group justify="space-between">
        <Title order={2}>Who used it</Title>
        <SegmentedControl aria-label="Told apart by" data={groups} onChange={onBy} size="xs" value={by} />
      </Group>
      <Rows caption="Who used it" columns={columns} items={shares} keyOf={({ key }) => key} />
    </Stack>
  );
}

function Name({ by, share }: { by: UsageGroup; share: ShareFiguresFragment }) {
  if (by !== "AGENT") return <Box style={{ overflowWrap: "anywhere" }}>{share.key === "" ? "not known" : share.key}</Box>;
  if (!share.agent) return <>deleted agent</>;
  return (
    <Anchor component={Link} size="sm" to={`/agents/${share.agent.id}`}>
      {agentName(share.agent)}
    </Anchor>
  );
}

function Cost({ share: { costUsd, unpricedCalls } }: { share: ShareFiguresFragment }) {
  return (
    <>
      {formatCost(costUsd)}
      {unpricedCalls > 0 && (
        <Text c="dimmed" size="xs">
          + {formatCount(unpricedCalls)} unpriced
        </Text>
      )}
    </>
  );
}

function tokensOf({ inputTokens, outputTokens }: ShareFiguresFragment): number {
  return inputTokens + outputTokens;
}
