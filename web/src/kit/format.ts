const number = new Intl.NumberFormat("en");
const dateTime = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium", hour12: false });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function formatCount(value: number): string {
  return number.format(value);
}

/** "1,200 in, 80 out". A model that was asked has read something, else its vendor did not say. */
export function formatTokens({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): string {
  if (inputTokens === 0 && outputTokens === 0) return "tokens unknown";
  return `${formatCount(inputTokens)} in, ${formatCount(outputTokens)} out`;
}

/** "840 ms", "2.4 s", "3 min 05 s"; a dash while it is not known. */
export function formatDuration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A price nobody knows is "unknown", never zero. */
export function formatCost(dollars: string | null | undefined): string {
  if (dollars === null || dollars === undefined) return "unknown";
  const value = Number(dollars);
  if (!Number.isFinite(value)) return "unknown";
  if (value === 0) return "$0";
  if (value < 0.01) return `$${trimZeros(value.toFixed(6)) || "0"}`.replace(/^\$0$/, "< $0.000001");
  return `$${value < 1 ? trimZeros(value.toFixed(4)) : value.toFixed(2)}`;
}

export function formatDateTime(iso: string | null | undefined): string {
  return iso ? dateTime.format(new Date(iso)) : "–";
}

export function formatClock(iso: string): string {
  return clock.format(new Date(iso));
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 minutes ago", "in 2 days", "just now". */
export function formatAge(iso: string, now: number): string {
  const seconds = (new Date(iso).getTime() - now) / 1_000;
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

/** A price in cents as dollars for an input, and back. */
export function centsToDollars(cents: number | null): number | "" {
  return cents === null ? "" : cents / 100;
}

export function dollarsToCents(dollars: number | string): number | null {
  return dollars === "" ? null : Math.round(Number(dollars) * 100);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function trimZeros(decimal: string): string {
  return decimal.replace(/0+$/, "").replace(/\.$/, "");
}
