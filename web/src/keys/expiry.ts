const daySeconds = 86_400;

/** The longest the server's number of seconds can say. */
const maxSeconds = 2_147_483_647;

export const expiryChoices = [
  { value: String(daySeconds), label: "One day" },
  { value: String(7 * daySeconds), label: "One week" },
  { value: String(30 * daySeconds), label: "30 days" },
  { value: String(90 * daySeconds), label: "90 days" },
  { value: String(365 * daySeconds), label: "One year" },
  { value: "date", label: "On a date" },
  { value: "never", label: "Never" },
];

export interface Expiry {
  /** One of `expiryChoices`. */
  lasts: string;
  /** `2026-12-31`, for "On a date". */
  lastDay: string;
}

/** Seconds from `now` on; null for a key that never expires. A date counts to its last second here. */
export function expiresInS({ lasts, lastDay }: Expiry, now: number): number | null {
  if (lasts === "never") return null;
  if (lasts !== "date") return Number(lasts);
  return Math.floor((endOfDay(lastDay) - now) / 1_000);
}

export function lastDayError({ lasts, lastDay }: Expiry, now: number): string | null {
  if (lasts !== "date") return null;
  const seconds = expiresInS({ lasts, lastDay }, now);
  if (seconds === null || Number.isNaN(seconds)) return "Choose the last day on which the key works";
  if (seconds <= 0) return "Choose today or a later day";
  return seconds > maxSeconds ? "Choose a day within the next 68 years, or Never" : null;
}

/** `2026-12-31` as inputs of dates take it, in the reader's time zone. */
export function dayOf(now: number): string {
  const date = new Date(now);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

function endOfDay(day: string): number {
  return new Date(`${day}T23:59:59`).getTime();
}
