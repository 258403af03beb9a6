/** Days as inputs of dates take them, `2026-12-31`, in the reader's time zone. */
export function dayOf(at: number): string {
  const date = new Date(at);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

/** The first moment of the day; NaN for what is no day. */
export function startOfDay(day: string): number {
  return new Date(`${day}T00:00:00`).getTime();
}

/** The day's last full second; NaN for what is no day. */
export function endOfDay(day: string): number {
  return new Date(`${day}T23:59:59`).getTime();
}
