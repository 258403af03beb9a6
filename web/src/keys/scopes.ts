import type { Scope } from "../gql/graphql";

export const scopeNames: Record<Scope, string> = {
  READ: "Read",
  WRITE: "Write",
  APPROVALS: "Approvals",
  PAIRING: "Pairing",
  ADMIN: "Administrator",
};

interface ScopeChoice {
  scope: Scope;
  may: string;
  mayNot: string;
}

/** What each scope lets its holder do and what not, least first. */
export const scopeChoices: readonly ScopeChoice[] = [
  {
    scope: "READ",
    may: "See agents, providers without their keys, and the user's own chats, traces and events.",
    mayNot: "Cannot chat or change anything.",
  },
  {
    scope: "WRITE",
    may: "All of Read; chat with agents; make, change and share agents and providers.",
    mayNot: "Cannot see other users' chats, nor make or revoke keys.",
  },
  {
    scope: "APPROVALS",
    may: "Allow or refuse what an agent asks permission for.",
    mayNot: "Cannot read, chat or change anything else.",
  },
  {
    scope: "PAIRING",
    may: "Pair devices and browsers with the gateway.",
    mayNot: "Cannot read, chat or change anything else.",
  },
  {
    scope: "ADMIN",
    may: "Everything: make and revoke keys, delete users' data, and without a user see what all users do.",
    mayNot: "Cannot be bound to agents. Give it to people, not to programs.",
  },
];
