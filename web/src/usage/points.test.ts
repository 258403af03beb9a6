import { describe, expect, it } from "vitest";
import { filled, type Point, roundUp, spans } from "./points";

const now = Date.parse("2026-11-25T02:30:00Z");
const used = { at: "2026-11-25T01:00:00+00:00", runs: 3, costUsd: "0.5" } as Point;

describe("filled", () => {
  it("has all hours of today, those without a run too", () => {
    const points = filled([used], spans[0], now);
    expect(points.map(({ at, runs }) => [new Date(at).getUTCHours(), runs])).toEqual([
      [0, 0],
      [1, 3],
      [2, 0],
    ]);
  });

  it("reaches back as far as the span, over the days it touches", () => {
    expect(filled([], spans[1], now)).toHaveLength(25);
    const days = filled([], spans[2], now);
    expect(days.map(({ at }) => at.slice(0, 10))).toEqual([
      "2026-11-18",
      "2026-11-19",
      "2026-11-20",
      "2026-11-21",
      "2026-11-22",
      "2026-11-23",
      "2026-11-24",
      "2026-11-25",
    ]);
  });
});

it("rounds the top of an axis up", () => {
  expect([0, 0.0003, 1, 7, 10, 230, 5_001].map(roundUp)).toEqual([1, 0.0005, 1, 10, 10, 500, 10_000]);
});
