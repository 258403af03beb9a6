import { describe, expect, it } from "vitest";
import { layOut } from "./waterfall";

const zero = Date.parse("2026-11-23T12:00:00Z");

function span(id: string, parentSpanId: string | null, from: number, to: number | null) {
  return {
    id,
    parentSpanId,
    startTime: new Date(zero + from).toISOString(),
    endTime: to === null ? null : new Date(zero + to).toISOString(),
    durationMs: to === null ? null : to - from,
  };
}

describe("layOut", () => {
  it("has nothing to show for no spans", () => {
    expect(layOut([], zero)).toEqual([]);
  });

  it("places bars in percent of the whole", () => {
    const [all, half] = layOut([span("a", null, 0, 1000), span("b", "a", 500, 1000)], zero);
    expect(all).toMatchObject({ left: 0, width: 100, depth: 0 });
    expect(half).toMatchObject({ left: 50, width: 50, depth: 1 });
  });

  it("puts children behind their parent, by start", () => {
    const bars = layOut(
      [span("late", "root", 600, 900), span("root", null, 0, 1000), span("early", "root", 10, 50)],
      zero,
    );
    expect(bars.map((bar) => bar.span.id)).toEqual(["root", "early", "late"]);
  });

  it("treats a span with an unknown parent as a root", () => {
    expect(layOut([span("a", "gone", 0, 10)], zero)[0]).toMatchObject({ depth: 0 });
  });

  it("lets a running span reach to now", () => {
    const bars = layOut([span("a", null, 0, 100), span("b", null, 0, null)], zero + 200);
    expect(bars[1]).toMatchObject({ width: 100 });
    expect(bars[0]).toMatchObject({ width: 50 });
  });

  it("keeps a bar that took no time visible and inside", () => {
    const bars = layOut([span("a", null, 0, 1000), span("b", "a", 1000, 1000)], zero);
    const bar = bars[1];
    expect(bar?.width).toBeGreaterThan(0);
    expect((bar?.left ?? 0) + (bar?.width ?? 0)).toBeLessThanOrEqual(100.001);
  });
});
