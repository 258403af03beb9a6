import { Card, SimpleGrid, Stack, Text } from "@mantine/core";
import type { SummaryFieldsFragment, UsageCardsQuery } from "../gql/graphql";
import { formatCost, formatCount } from "../kit/format";

export function Cards({ data }: { data: UsageCardsQuery }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }}>
      <Figures before="yesterday" name="Today (UTC)" summary={data.today} />
      <Figures before="the 7 days before" name="7 days" summary={data.week} />
      <Figures before="the 30 days before" name="30 days" summary={data.month} />
    </SimpleGrid>
  );
}

interface Props {
  name: string;
  before: string;
  summary: SummaryFieldsFragment;
}

function Figures({ name, before, summary: { current, previous } }: Props) {
  return (
    <Card aria-label={name} component="section" padding="md" withBorder>
      <Stack gap={2}>
        <Text c="dimmed" fw={600} size="xs">
          {name}
        </Text>
        <Text fw={650} fz={26} lh={1.2}>
          {isUnknown(current) ? "Cost unknown" : formatCost(current.costUsd)}
        </Text>
        {current.unpricedCalls > 0 && (
          <Text c="var(--mantine-color-yellow-light-color)" size="xs">
            {isUnknown(current) ? "" : "and "}
            {plural(current.unpricedCalls, "model call")} without a known price
          </Text>
        )}
        <Text size="sm">
          {plural(current.runs, "run")}
          {current.failedRuns > 0 && `, ${formatCount(current.failedRuns)} failed`}
        </Text>
        <Text size="sm">
          {formatCount(current.inputTokens)} tokens in ({formatCount(current.cachedTokens)} cached),{" "}
          {formatCount(current.outputTokens)} out
        </Text>
        <Text c="dimmed" size="xs">
          {previous.runs === 0
            ? `Nothing ${before}`
            : `${plural(previous.runs, "run")} for ${formatCost(previous.costUsd)} ${before}`}
        </Text>
      </Stack>
    </Card>
  );
}

/** Nothing that was used has a known price. */
function isUnknown({ costUsd, unpricedCalls }: SummaryFieldsFragment["current"]): boolean {
  return unpricedCalls > 0 && Number(costUsd) === 0;
}

function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? "" : "s"}`;
}
