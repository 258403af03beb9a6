import { describe, expect, it } from "vitest";
import {
  centsToDollars,
  dollarsToCents,
  formatAge,
  formatCost,
  formatCount,
  formatDuration,
  formatTokens,
} from "./format";

describe("formatDuration", () => {
  it.each([
    [null, "–"],
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1.0 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min 00 s"],
    [65_000, "1 min 05 s"],
    [3_720_000, "1 h 02 min"],
  ])("%s ms is %s", (value, text) => {
    expect(formatDuration(value)).toBe(text);
  });
});

describe("formatCost", () => {
  it.each([
    [null, "unknown"],
    ["rubbish", "unknown"],
    ["0", "$0"],
    ["0.000000", "$0"],
    ["0.00012", "$0.00012"],
    ["0.0000001", "< $0.000001"],
    ["0.1234567", "$0.1235"],
    ["0.5000", "$0.5"],
    ["12.3456", "$12.35"],
  ])("%s is %s", (value, text) => {
    expect(formatCost(value)).toBe(text);
  });
});

describe("formatAge", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  it.each([
    ["2026-11-23T11:59:40Z", "just now"],
    ["2026-11-23T11:57:00Z", "3 minutes ago"],
    ["2026-11-22T12:00:00Z", "yesterday"],
    ["2026-11-25T12:00:00Z", "in 2 days"],
  ])("%s is %s", (iso, text) => {
    expect(formatAge(iso, now)).toBe(text);
  });
});

it("tells tokens that a vendor did not tell from none", () => {
  expect(formatTokens({ inputTokens: 1200, outputTokens: 0 })).toBe("1,200 in, 0 out");
  expect(formatTokens({ inputTokens: 0, outputTokens: 0 })).toBe("tokens unknown");
});

it("groups digits", () => {
  expect(formatCount(1234567)).toBe("1,234,567");
});

it("keeps an absent budget apart from none", () => {
  expect(centsToDollars(null)).toBe("");
  expect(dollarsToCents("")).toBeNull();
  expect(dollarsToCents(0)).toBe(0);
  expect(dollarsToCents(19.99)).toBe(1999);
});
