import type { CronJobItemFragment } from "../gql/graphql";
import { formatDateTime } from "../kit/format";

type Schedule = Pick<CronJobItemFragment, "kind" | "runAt" | "everyS" | "expression" | "timezone">;

const units: [string, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** When a job is due, in words. */
export function scheduleLine({ kind, runAt, everyS, expression, timezone }: Schedule): string {
  if (kind === "AT") return `once, ${formatDateTime(runAt)}`;
  if (kind === "EVERY") return `every ${interval(everyS ?? 0)}`;
  return `${expression ?? ""} (${timezone})`;
}

/** "hour", "90 minutes". */
export function interval(seconds: number): string {
  const [name, size] = units.find(([, unit]) => seconds % unit === 0 && seconds >= unit) ?? ["second", 1];
  const count = seconds / size;
  return count === 1 ? name : `${count} ${name}s`;
}

/** A value for an input of type datetime-local, on the clock of this browser. */
export function localTime(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function zones(): string[] {
  const all = Intl.supportedValuesOf("timeZone");
  return all.includes("UTC") ? all : ["UTC", ...all];
}
