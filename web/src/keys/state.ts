import type { ApiKeyItemFragment } from "../gql/graphql";
import { formatAge, formatCount } from "../kit/format";

export type KeyState = "works" | "revoked" | "expired";

export function stateOf({ revoked, expiresAt }: ApiKeyItemFragment, now: number): KeyState {
  if (revoked) return "revoked";
  return expiresAt !== null && Date.parse(expiresAt) <= now ? "expired" : "works";
}

/** Until when the secret before the last rotation works, null when it does not. */
export function graceOf({ previousUntil, revoked }: ApiKeyItemFragment, now: number): string | null {
  return !revoked && previousUntil !== null && Date.parse(previousUntil) > now ? previousUntil : null;
}

/** "3 agents", "scribe"; null where the key reaches all. */
export function agentsOf({ agentIds }: ApiKeyItemFragment, names: ReadonlyMap<string, string>): string | null {
  if (agentIds === null) return null;
  return agentIds.map((id) => names.get(id) ?? `agent ${id.slice(-6)}`).join(", ");
}

/** When and from where, in words. */
export function lastUse({ lastUsedAt, lastUsedAddress }: ApiKeyItemFragment, now: number): string {
  if (lastUsedAt === null) return "It was never used.";
  const from = lastUsedAddress === null ? "" : ` from ${lastUsedAddress}`;
  return `It was last used ${formatAge(lastUsedAt, now)}${from}.`;
}

/** What revoking the key does, and to whom. */
export function revocation(key: ApiKeyItemFragment, names: ReadonlyMap<string, string>, now: number): string[] {
  const agents = agentsOf(key, names);
  return [
    "Whatever uses this key is refused at once, on every worker.",
    "Its open streams and connections end, and browsers signed in with it are signed out.",
    key.userId === null ? "It belongs to no user." : `It belongs to the user ${key.userId}.`,
    agents === null ? "It reaches all agents its user may use." : `It reaches only ${agents}.`,
    lastUse(key, now) + (key.callsToday > 0 ? ` Calls today: ${formatCount(key.callsToday)}.` : ""),
    ...(graceOf(key, now) === null ? [] : ["The secret before the last rotation ends too."]),
    "It cannot be undone: you would have to make a new key and hand it out.",
  ];
}

const hour = 3_600;

export const graceChoices = [
  { value: "0", label: "Not at all" },
  { value: String(hour), label: "One hour" },
  { value: String(24 * hour), label: "One day" },
  { value: String(7 * 24 * hour), label: "One week" },
];

/** What rotating the key does with that grace. */
export function rotation(key: ApiKeyItemFragment, graceS: number, now: number): string[] {
  const until = graceChoices.find(({ value }) => Number(value) === graceS)?.label.toLowerCase();
  return [
    "The key gets a new secret, shown once. Name, scopes, binding and expiry stay.",
    graceS === 0
      ? "The old secret is refused at once and its open streams end: programs fail until they have the new one."
      : `The old secret goes on working for ${until ?? `${graceS} seconds`}: put the new one in place meanwhile.`,
    ...(graceOf(key, now) === null ? [] : ["The secret before the last rotation still works; it ends at once."]),
    "If the old secret was stolen, choose “Not at all”.",
  ];
}
