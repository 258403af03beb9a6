import { expect, it } from "vitest";
import { expiresInS, expiryChoices, lastDayError } from "./expiry";

const now = new Date("2026-11-23T12:00:00").getTime();

it("knows every choice", () => {
  for (const { value } of expiryChoices) {
    const expiry = { lasts: value, lastDay: "2026-11-24" };
    expect(lastDayError(expiry, now)).toBeNull();
    expect(expiresInS(expiry, now)).not.toBeNaN();
  }
});

it.each([
  ["never", "", null],
  ["86400", "", 86_400],
  ["date", "2026-11-23", 12 * 3_600 - 1],
  ["date", "2026-11-24", 36 * 3_600 - 1],
])("%s %s is %s seconds", (lasts, lastDay, seconds) => {
  expect(expiresInS({ lasts, lastDay }, now)).toBe(seconds);
});

it.each([
  ["", /Choose the last day/],
  ["2026-11-22", /today or a later day/],
  ["2126-01-01", /68 years/],
])("refuses the date %s", (lastDay, reason) => {
  expect(lastDayError({ lasts: "date", lastDay }, now)).toMatch(reason);
});

it("asks for no date with another choice", () => {
  expect(lastDayError({ lasts: "never", lastDay: "" }, now)).toBeNull();
});
