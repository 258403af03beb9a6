import { endOfDay } from "../kit/days";

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
