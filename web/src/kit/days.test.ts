import { expect, it } from "vitest";
import { dayOf, endOfDay, startOfDay } from "./days";

it("writes days as inputs take them", () => {
  expect(dayOf(new Date("2026-03-04T23:30:00").getTime())).toBe("2026-03-04");
});

it("knows where a day begins and ends", () => {
  expect(endOfDay("2026-03-04") - startOfDay("2026-03-04")).toBe(86_399_000);
  expect(dayOf(startOfDay("2026-03-04"))).toBe("2026-03-04");
  expect(dayOf(endOfDay("2026-03-04"))).toBe("2026-03-04");
});

it.each(["", "soon", "2026-13-01"])("takes %s for no day", (day) => {
  expect(startOfDay(day)).toBeNaN();
  expect(endOfDay(day)).toBeNaN();
});
