import { expect, it } from "vitest";
import { changed, daysError, type Filters, isFiltered, readFilters, timeChoices, variablesOf } from "./filters";

const now = Date.parse("2026-11-23T12:00:00Z");
const none: Filters = { who: "", kind: "", action: "", time: "", from: "", to: "" };
const unlimited = { first: 50, actorId: null, entityType: null, action: null, from: null, to: null };

it("filters nothing by an empty address", () => {
  const filters = readFilters(new URLSearchParams(""));
  expect(filters).toEqual(none);
  expect(isFiltered(filters)).toBe(false);
  expect(variablesOf(filters, now)).toEqual(unlimited);
});

it("reads what it wrote", () => {
  const filters = { ...none, who: "ada & co", kind: "api_key", action: "api_key.revoked", time: "week" };
  expect(readFilters(changed(none, filters))).toEqual(filters);
  expect(isFiltered(filters)).toBe(true);
});

it("forgets an action on another kind of thing", () => {
  const filters = { ...none, kind: "agent", action: "agent.created" };
  expect(changed(filters, { kind: "provider" }).toString()).toBe("kind=provider");
  expect(changed(filters, { kind: "" }).toString()).toBe("action=agent.created");
});

it("forgets the days with another choice of time", () => {
  const filters = { ...none, time: "days", from: "2026-11-01", to: "2026-11-02" };
  expect(changed(filters, { time: "hour" }).toString()).toBe("time=hour");
});

it.each(timeChoices)("knows $label", ({ value }) => {
  const { from } = variablesOf({ ...none, time: value, from: "2026-11-01" }, now);
  expect(Date.parse(from ?? "")).toBeLessThan(now);
});

it("counts from now", () => {
  expect(variablesOf({ ...none, time: "day" }, now)).toEqual({ ...unlimited, from: "2026-11-22T12:00:00.000Z" });
});

it("takes both days whole, in the reader's time zone", () => {
  const { from, to } = variablesOf({ ...none, time: "days", from: "2026-11-01", to: "2026-11-02" }, now);
  expect(Date.parse(from ?? "")).toBe(new Date("2026-11-01T00:00:00").getTime());
  expect(Date.parse(to ?? "")).toBe(new Date("2026-11-03T00:00:00").getTime());
});

it("takes no notice of rubbish", () => {
  expect(readFilters(new URLSearchParams("time=moon&page=2"))).toEqual(none);
  const rubbish = { ...none, time: "days", from: "soon", to: "2026-99-99" };
  expect(variablesOf(rubbish, now)).toEqual(unlimited);
});

it("takes days for what they are", () => {
  expect(readFilters(new URLSearchParams("from=2026-11-01"))).toEqual({ ...none, time: "days", from: "2026-11-01" });
});

it("tells when the days are the wrong way round", () => {
  const days = { ...none, time: "days", from: "2026-11-02", to: "2026-11-01" };
  expect(daysError(days)).toMatch(/before the first day/);
  expect(daysError({ ...days, to: "2026-11-02" })).toBeNull();
  expect(daysError({ ...days, to: "" })).toBeNull();
});
