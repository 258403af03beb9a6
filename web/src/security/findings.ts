import type { FindingStatus, SecurityOverviewQuery } from "../gql/graphql";

export type Finding = SecurityOverviewQuery["securityOverview"]["findings"][number];

export const levels: Record<FindingStatus, { label: string; color: string }> = {
  FAILED: { label: "Failed", color: "red" },
  WARNING: { label: "Warning", color: "yellow" },
  INFO: { label: "Note", color: "blue" },
  OK: { label: "Good", color: "claw" },
};

const order = Object.keys(levels);

/** The worst first, each level in the gateway's order. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((one, other) => order.indexOf(one.status) - order.indexOf(other.status));
}

/** The subject as it begins a sentence. */
export function heading({ subject }: Finding): string {
  return subject.charAt(0).toUpperCase() + subject.slice(1);
}

/** How many of the checks are as they should be. */
export function tally(findings: readonly Finding[]): string {
  const fine = findings.length - count(findings, "FAILED") - count(findings, "WARNING");
  return `${fine} of ${findings.length} checks found nothing to worry about.`;
}

/** All of it in a sentence. */
export function summary(findings: readonly Finding[]): string {
  const failed = count(findings, "FAILED");
  const warnings = count(findings, "WARNING");
  if (failed + warnings === 0) return "Nothing needs to be done";
  const parts = [
    ...(failed > 0 ? [failed === 1 ? "1 check failed" : `${failed} checks failed`] : []),
    ...(warnings > 0 ? [warnings === 1 ? "1 warning" : `${warnings} warnings`] : []),
  ];
  return parts.join(", ");
}

export function worstOf(findings: readonly Finding[]): FindingStatus {
  return worstFirst(findings)[0]?.status ?? "OK";
}

const keys = { to: "/keys", label: "Go to API keys" };
const places: Record<string, { to: string; label: string }> = {
  "administrator keys": keys,
  "keys without an end": keys,
  "unused keys": keys,
  "refused sign-ins": { to: "/activity?action=credential.refused", label: "See where they came from" },
  "stored secrets": { to: "/providers", label: "Go to providers" },
};

/** The page on which something can be done about it. */
export function placeOf({ subject }: Finding): { to: string; label: string } | null {
  return places[subject] ?? null;
}

function count(findings: readonly Finding[], status: FindingStatus): number {
  return findings.filter((finding) => finding.status === status).length;
}
