import { expect, it } from "vitest";
import { newJob, jobInput, valuesOf, validation } from "./form";
import { interval, localTime, scheduleLine } from "./schedule";

it.each([
  [60, "minute"],
  [5_400, "90 minutes"],
  [3_600, "hour"],
  [172_800, "2 days"],
  [61, "61 seconds"],
])("says %d seconds as %s", (seconds, words) => {
  expect(interval(seconds)).toBe(words);
});

it("says when a job is due", () => {
  const nothing = { runAt: null, everyS: null, expression: null, timezone: "UTC" };
  expect(scheduleLine({ ...nothing, kind: "EVERY", everyS: 3_600 })).toBe("every hour");
  const weekly = { ...nothing, kind: "CRON" as const, expression: "0 9 * * 1", timezone: "Europe/Berlin" };
  expect(scheduleLine(weekly)).toBe("0 9 * * 1 (Europe/Berlin)");
});

it("reads back the local time that it writes", () => {
  const iso = "2030-06-01T08:30:00.000Z";
  expect(new Date(localTime(iso)).toISOString()).toBe(iso);
});

it("sends what goes with the kind, and no empty secret", () => {
  const values = { ...newJob, name: " Daily ", agentId: "1", message: "Hello", kind: "EVERY" as const };
  const sent = jobInput({ ...values, every: 2, unit: "86400" });
  expect(sent).toMatchObject({ name: "Daily", everyS: 172_800, sessionKey: null, isolated: false });
  expect(sent).not.toHaveProperty("expression");
  expect(sent).not.toHaveProperty("deliverySecret");
});

it("refuses what cannot be", () => {
  expect(validation.expression("0 9 * *", newJob)).not.toBeNull();
  expect(validation.expression("0 9 * * *", newJob)).toBeNull();
  expect(validation.deliverySecret("short")).not.toBeNull();
  expect(validation.sessionKey("", { ...newJob, place: "named" })).not.toBeNull();
});

it("shows a stored job as it was sent", () => {
  const values = { ...newJob, name: "Daily", agentId: "1", message: "Hello", kind: "EVERY" as const, every: 90, unit: "60" };
  const { everyS, sessionKey, isolated } = jobInput(values);
  const stored = { ...values, id: "2", everyS, sessionKey, isolated, runAt: null, expression: null, deliveryUrl: null };
  expect(valuesOf(stored as unknown as Parameters<typeof valuesOf>[0])).toMatchObject({ every: 90, unit: "60", place: "own" });
});
