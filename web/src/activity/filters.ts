import type { ActivityLogQueryVariables } from "../gql/graphql";
import { endOfDay, startOfDay } from "../kit/days";
import { kindOf } from "./actions";

const names = ["who", "kind", "action", "time", "from", "to"] as const;

/** As the page's address has them; empty texts filter nothing. `from` and `to` are days. */
export type Filters = Record<(typeof names)[number], string>;

const hourMs = 3_600_000;
const spans: Record<string, number> = {
  hour: hourMs,
  day: 24 * hourMs,
  week: 7 * 24 * hourMs,
  month: 30 * 24 * hourMs,
};

export const timeChoices = [
  { value: "hour", label: "Last hour" },
  { value: "day", label: "Last 24 hours" },
  { value: "week", label: "Last 7 days" },
  { value: "month", label: "Last 30 days" },
  { value: "days", label: "Between days" },
];

/** A time the page does not know counts as none, days alone as "Between days". */
export function readFilters(params: URLSearchParams): Filters {
  const read = (name: string) => params.get(name)?.trim() ?? "";
  const [from, to] = [read("from"), read("to")];
  const time = timeChoices.find(({ value }) => value === read("time"))?.value ?? (from + to && "days");
  return { who: read("who"), kind: read("kind"), action: read("action"), time, from, to };
}

export function isFiltered(filters: Filters): boolean {
  return names.some((name) => filters[name] !== "");
}

/** The address with some filters changed, without those that the change makes pointless. */
export function changed(filters: Filters, change: Partial<Filters>): URLSearchParams {
  const next = { ...filters, ...change };
  if (next.kind !== "" && kindOf(next.action) !== next.kind) next.action = "";
  if (next.time !== "days") next.from = next.to = "";
  return new URLSearchParams(names.filter((name) => next[name] !== "").map((name) => [name, next[name]]));
}

/** Why these days hold nothing, null when they may. */
export function daysError({ time, from, to }: Filters): string | null {
  return time === "days" && startOfDay(from) > endOfDay(to) ? "This is before the first day" : null;
}

export function variablesOf(filters: Filters, now: number): ActivityLogQueryVariables {
  const { time, from, to } = filters;
  const span = spans[time];
  const since = span === undefined ? startOfDay(from) : now - span;
  return {
    first: 50,
    actorId: filters.who || null,
    entityType: filters.kind || null,
    action: filters.action || null,
    from: instant(since),
    to: instant(endOfDay(to) + 1_000),
  };
}

function instant(at: number): string | null {
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
