import type { Scope } from "../gql/graphql";

export const scopeNames: Record<Scope, string> = {
  READ: "Read",
  WRITE: "Write",
  APPROVALS: "Approvals",
  PAIRING: "Pairing",
  ADMIN: "Administrator",
};

/** What each scope lets its holder do, least first. */
export const scopeChoices: { scope: Scope; meaning: string }[] = [
  { scope: "READ", meaning: "See agents, providers, own chats, traces and events. Change nothing." },
  { scope: "WRITE", meaning: "Chat with agents, and make and change agents and providers. Includes Read." },
  { scope: "APPROVALS", meaning: "Allow or refuse what an agent asks permission for. Nothing else." },
  { scope: "PAIRING", meaning: "Pair devices and browsers with the gateway. Nothing else." },
  { scope: "ADMIN", meaning: "Everything, including making keys and seeing what all users do." },
];
