import { expect, it } from "vitest";
import { actionChoices, actionName, detailsLine, kindChoices, kindName, kindOf } from "./actions";

it("names every action it offers", () => {
  for (const { value, label } of actionChoices("")) {
    expect(actionName(value)).toBe(label);
    expect(kindChoices.map((kind) => kind.value)).toContain(kindOf(value));
  }
});

it("offers the actions on one kind of thing", () => {
  const offered = actionChoices("api_key").map(({ value }) => value);
  expect(offered).toEqual(["api_key.created", "api_key.rotated", "api_key.revoked", "api_key.refused"]);
  expect(actionChoices("moon")).toEqual([]);
});

it("shows what it does not know as the gateway calls it", () => {
  expect(actionName("moon.landed")).toBe("moon.landed");
  expect(actionName("agent.painted")).toBe("agent.painted");
  expect(kindName("moon")).toBe("moon");
});

it.each([
  [null, ""],
  [{}, ""],
  [{ name: "report", scopes: ["operator.read", "operator.write"] }, "name: report · scopes: operator.read, operator.write"],
  [{ grace_s: 0, expires_at: null }, "grace s: 0"],
  [{ rows: { traces: 2 } }, 'rows: {"traces":2}'],
])("writes the details %j", (details, line) => {
  expect(detailsLine(details)).toBe(line);
});
