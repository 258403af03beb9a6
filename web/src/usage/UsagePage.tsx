import { Button, Group, SegmentedControl, Select } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import { useSeesAll } from "../api/context";
import { problemOf } from "../api/errors";
import { UsageBreakdownDocument, UsageCardsDocument, UsageChoicesDocument, UsageOverTimeDocument } from "../gql/graphql";
import { EmptyState } from "../kit/EmptyState";
import { UsageIcon } from "../kit/icons";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useNow } from "../kit/useNow";
import { useRefreshOn } from "../live/events";
import { Breakdown } from "./Breakdown";
import { Cards } from "./Cards";
import { changed, type Filters, narrowing, readFilters, variablesOf } from "./filters";
import { OverTime } from "./OverTime";
import { filled, spans } from "./points";

export default function UsagePage() {
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => readFilters(params), [params]);
  const seesAll = useSeesAll();
  const set = (name: string, value: string) => setParams(changed(params, name, value), { replace: true });
  const clear = () => setParams(narrowing.reduce((left, name) => changed(left, name, ""), params));
  return (
    <Page
      lead={`What ${seesAll ? "all" : "your"} runs used. A price nobody knows is counted as a call, not as zero.`}
      title="Usage"
    >
      <FilterBar filters={filters} onChange={set} onClear={clear} />
      <Figures filters={filters} onBy={(by) => set("by", by)} />
    </Page>
  );
}

interface BarProps {
  filters: Filters;
  onChange: (name: string, value: string) => void;
  onClear: () => void;
}

function FilterBar({ filters, onChange, onClear }: BarProps) {
  const [{ data }] = useQuery({ query: UsageChoicesDocument, variables: { period: "MONTH" as const } });
  const agents = data?.agents.map(({ key, agent }) => ({ value: key, label: agent ? agentName(agent) : `deleted agent ${key.slice(-4)}` }));
  const choices = {
    agent: agents ?? [],
    provider: named(data?.providers),
    model: named(data?.models),
    channel: named(data?.channels),
  };
  return (
    <Group aria-label="Filters" gap="sm" role="group">
      <SegmentedControl
        aria-label="Time"
        data={spans.map(({ period, label }) => ({ value: period, label }))}
        onChange={(period) => onChange("span", period)}
        value={filters.span.period}
      />
      {narrowing.map((name) => (
        <Select
          aria-label={name.charAt(0).toUpperCase() + name.slice(1)}
          clearable
          clearButtonProps={{ "aria-label": `Clear ${name}` }}
          data={withChosen(choices[name], filters[name])}
          flex="1 1 140px"
          key={name}
          maw={{ sm: 200 }}
          onChange={(value) => onChange(name, value ?? "")}
          placeholder={`Every ${name}`}
          searchable={choices[name].length > 8}
          value={filters[name] || null}
        />
      ))}
      {narrowing.some((name) => filters[name] !== "") && (
        <Button onClick={onClear} variant="subtle">
          Clear filters
        </Button>
      )}
    </Group>
  );
}

interface Choice {
  value: string;
  label: string;
}

function named(shares: readonly { key: string }[] | undefined): Choice[] {
  return (shares ?? []).filter(({ key }) => key !== "").map(({ key }) => ({ value: key, label: key }));
}

/** What the address says is shown, also when nothing was used by it. */
function withChosen(choices: Choice[], value: string): Choice[] {
  const known = value === "" || choices.some((choice) => choice.value === value);
  return known ? choices : [...choices, { value, label: value }];
}

function Figures({ filters, onBy }: { filters: Filters; onBy: (by: string) => void }) {
  const narrowed = useMemo(() => variablesOf(filters), [filters]);
  const { period, step } = filters.span;
  const [cards, askCards] = useQuery({ query: UsageCardsDocument, variables: narrowed });
  const [points, askPoints] = useQuery({ query: UsageOverTimeDocument, variables: { ...narrowed, period, step } });
  const [shares, askShares] = useQuery({ query: UsageBreakdownDocument, variables: { ...narrowed, period, by: filters.by } });
  const now = useNow();
  const again = () => {
    for (const ask of [askCards, askPoints, askShares]) ask({ requestPolicy: "network-only" });
  };
  useRefreshOn(["run"], again);

  const error = cards.error ?? points.error ?? shares.error;
  if (error) return <ProblemNotice onRetry={again} problem={problemOf(error)} />;
  if (!cards.data || !points.data || !shares.data) return <Loading />;
  return (
    <>
      <Cards data={cards.data} />
      {points.data.usage.length === 0 ? (
        <EmptyState icon={<UsageIcon size={40} />} title="Nothing was used in this time">
          Choose a longer time or other filters; every run that ends is counted.
        </EmptyState>
      ) : (
        <>
          <OverTime points={filled(points.data.usage, filters.span, now)} span={filters.span} />
          <Breakdown by={filters.by} onBy={onBy} shares={shares.data.usageShares} />
        </>
      )}
    </>
  );
}
