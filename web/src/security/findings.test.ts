import { expect, it } from "vitest";
import type { FindingStatus } from "../gql/graphql";
import { type Finding, heading, placeOf, summary, tally, worstFirst, worstOf } from "./findings";

function finding(status: FindingStatus, subject = "proxies"): Finding {
  return { status, subject, text: "none", fix: "" };
}

it("puts the worst first and keeps the order of the others", () => {
  const sorted = worstFirst([finding("OK", "a"), finding("WARNING", "b"), finding("INFO"), finding("FAILED"), finding("OK", "z")]);
  expect(sorted.map(({ status }) => status)).toEqual(["FAILED", "WARNING", "INFO", "OK", "OK"]);
  expect(sorted.map(({ subject }) => subject).slice(3)).toEqual(["a", "z"]);
});

it.each<[FindingStatus[], string, FindingStatus]>([
  [[], "Nothing needs to be done", "OK"],
  [["OK", "INFO"], "Nothing needs to be done", "INFO"],
  [["WARNING", "OK"], "1 warning", "WARNING"],
  [["WARNING", "FAILED", "WARNING"], "1 check failed, 2 warnings", "FAILED"],
  [["FAILED", "FAILED"], "2 checks failed", "FAILED"],
])("sums up %j", (statuses, words, worst) => {
  const findings = statuses.map((status) => finding(status));
  expect(summary(findings)).toBe(words);
  expect(worstOf(findings)).toBe(worst);
  const fine = statuses.filter((status) => status === "OK" || status === "INFO").length;
  expect(tally(findings)).toContain(`${fine} of ${statuses.length} checks`);
});

it("begins with a capital", () => {
  expect(heading(finding("OK", "sign-in"))).toBe("Sign-in");
});

it("knows where something can be done", () => {
  expect(placeOf(finding("WARNING", "refused sign-ins"))?.to).toBe("/activity?action=credential.refused");
  expect(placeOf(finding("WARNING", "proxies"))).toBeNull();
});
