import type { CreateApiKeyInput, Scope } from "../gql/graphql";
import { numberOrNull, orNull } from "../kit/forms";
import { type Expiry, expiresInS, lastDayError } from "./expiry";

export interface KeyValues extends Expiry {
  name: string;
  scopes: Scope[];
  userId: string;
  agentIds: string[];
  rateLimitPerMinute: number | string;
}

export const newKey: KeyValues = {
  name: "",
  scopes: ["WRITE"],
  lasts: String(90 * 86_400),
  lastDay: "",
  userId: "",
  agentIds: [],
  rateLimitPerMinute: "",
};

export const validation = {
  name: (value: string) => (orNull(value) ? null : "Say what the key is for"),
  scopes: (value: Scope[]) => (value.length > 0 ? null : "Choose at least one"),
  lastDay: (_: string, values: KeyValues) => lastDayError(values, Date.now()),
  agentIds: (value: string[], { scopes }: KeyValues) =>
    value.length > 0 && scopes.includes("ADMIN")
      ? "An administrator's key reaches all agents: take Administrator away, or the agents"
      : null,
};

export function createInput(values: KeyValues, now = Date.now()): CreateApiKeyInput {
  return {
    name: values.name.trim(),
    scopes: values.scopes,
    expiresInS: expiresInS(values, now),
    userId: orNull(values.userId),
    agentIds: values.agentIds.length > 0 ? values.agentIds : null,
    rateLimitPerMinute: numberOrNull(values.rateLimitPerMinute),
  };
}
