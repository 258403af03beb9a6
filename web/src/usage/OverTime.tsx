import { Anchor, Box, Card, Stack, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type Bar, Bars } from "../kit/Bars";
import { formatCost, formatCount } from "../kit/format";
import { type Column, Rows } from "../kit/Rows";
import { type Point, roundUp, type Span } from "./points";

const hour = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const compact = new Intl.NumberFormat("en", { notation: "compact" });

const parts = [
  { label: "In", color: "var(--mantine-color-claw-6)" },
  { label: "In, from a cache", color: "var(--mantine-color-claw-3)" },
  { label: "Out", color: "var(--mantine-color-blue-6)" },
];
const price = [{ label: "Cost", color: "var(--mantine-color-grape-6)" }];

interface Props {
  points: readonly Point[];
  span: Span;
}

export function OverTime({ points, span }: Props) {
  const label = (at: string) => (span.step === "HOUR" ? hour : day).format(new Date(at));
  const tokens = points.map((point) => barOf(point, label, [point.inputTokens - point.cachedTokens, point.cachedTokens, point.outputTokens]));
  const costs = points.map((point) => barOf(point, label, [Number(point.costUsd)]));
  const unit = span.step === "HOUR" ? "hour" : "day";
  return (
    <>
      <Chart title={`Tokens by ${unit}`}>
        <Bars bars={tokens} format={(value) => compact.format(value)} name={`Tokens by ${unit}`} parts={parts} top={topOf(tokens)} />
      </Chart>
      <Chart title={`Cost by ${unit}`}>
        <Bars bars={costs} format={(value) => formatCost(String(value))} name={`Cost by ${unit}`} parts={price} top={topOf(costs)} />
      </Chart>
      <Figures label={label} points={points.filter(({ runs, inputTokens }) => runs > 0 || inputTokens > 0)} unit={unit} />
    </>
  );
}

function Chart({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Card component="section" padding="md" withBorder>
      <Stack gap="sm">
        <Title order={2}>{title}</Title>
        {children}
      </Stack>
    </Card>
  );
}

function barOf(point: Point, label: (at: string) => string, values: number[]): Bar {
  const words = [
    `${label(point.at)} UTC: ${formatCount(point.runs)} runs`,
    `${formatCount(point.inputTokens)} tokens in (${formatCount(point.cachedTokens)} cached), ${formatCount(point.outputTokens)} out`,
    costWords(point),
  ];
  return { key: point.at, label: label(point.at), words: words.join("\n"), values };
}

function costWords({ costUsd, unpricedCalls }: Pick<Point, "costUsd" | "unpricedCalls">): string {
  const known = formatCost(costUsd);
  return unpricedCalls > 0 ? `${known}, ${formatCount(unpricedCalls)} calls unpriced` : known;
}

function topOf(bars: readonly Bar[]): number {
  return roundUp(Math.max(0, ...bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))));
}

interface FiguresProps {
  points: readonly Point[];
  unit: string;
  label: (at: string) => string;
}

/** The charts' numbers, for who cannot see them or wants them exactly. */
function Figures({ points, unit, label }: FiguresProps) {
  const [opened, { toggle }] = useDisclosure(false);
  const columns: Column<Point>[] = [
    { label: unit === "hour" ? "Hour (UTC)" : "Day (UTC)", render: ({ at }) => label(at) },
    { label: "Runs", numeric: true, render: ({ runs }) => formatCount(runs) },
    { label: "In", numeric: true, render: ({ inputTokens }) => formatCount(inputTokens) },
    { label: "Cached", numeric: true, render: ({ cachedTokens }) => formatCount(cachedTokens) },
    { label: "Out", numeric: true, render: ({ outputTokens }) => formatCount(outputTokens) },
    { label: "Cost", numeric: true, render: costWords },
  ];
  return (
    <Box>
      <Anchor aria-expanded={opened} component="button" onClick={toggle} size="sm" type="button">
        {opened ? "Hide the figures" : `Show the figures of each ${unit}`}
      </Anchor>
      {opened && <Rows caption={`Usage by ${unit}`} columns={columns} items={points} keyOf={({ at }) => at} />}
    </Box>
  );
}
