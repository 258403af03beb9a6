import type { UsageOverTimeQuery, UsagePeriod, UsageStep } from "../gql/graphql";

export type Point = UsageOverTimeQuery["usage"][number];

export interface Span {
  period: UsagePeriod;
  label: string;
  step: UsageStep;
  /** How many hours or days before the one that goes on. */
  back: number | null;
}

/** What can be looked at. Of today there are the hours since midnight, in UTC. */
export const spans = [
  { period: "TODAY", label: "Today", step: "HOUR", back: null },
  { period: "DAY", label: "24 hours", step: "HOUR", back: 24 },
  { period: "WEEK", label: "7 days", step: "DAY", back: 7 },
  { period: "MONTH", label: "30 days", step: "DAY", back: 30 },
] as const satisfies readonly Span[];

const stepMs: Record<UsageStep, number> = { HOUR: 3_600_000, DAY: 86_400_000 };

/** All hours or days of a span, also those in which nothing was used, which the server leaves out. */
export function filled(points: readonly Point[], { step, back }: Span, now: number): Point[] {
  const size = stepMs[step];
  const last = Math.floor(now / size) * size;
  const first = back === null ? Math.floor(now / stepMs.DAY) * stepMs.DAY : last - back * size;
  const known = new Map(points.map((point) => [Date.parse(point.at), point]));
  const all: Point[] = [];
  for (let at = first; at <= last; at += size) all.push(known.get(at) ?? nothingAt(at));
  return all;
}

function nothingAt(at: number): Point {
  return {
    at: new Date(at).toISOString(),
    runs: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedTokens: 0,
    costUsd: "0",
    unpricedCalls: 0,
  };
}

/** A round number that is no smaller, for the top of an axis: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}
