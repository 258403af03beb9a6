import type { UsageGroup } from "../gql/graphql";
import { spans, type Span } from "./points";

/** What the address says: `?span=WEEK&agent=…&by=MODEL`. */
export interface Filters {
  span: Span;
  by: UsageGroup;
  agent: string;
  provider: string;
  model: string;
  channel: string;
}

export const groups: { value: UsageGroup; label: string }[] = [
  { value: "AGENT", label: "Agent" },
  { value: "PROVIDER", label: "Provider" },
  { value: "MODEL", label: "Model" },
  { value: "CHANNEL", label: "Channel" },
];

export const narrowing = ["agent", "provider", "model", "channel"] as const;

export function readFilters(params: URLSearchParams): Filters {
  const text = (name: string) => params.get(name) ?? "";
  return {
    span: spans.find(({ period }) => period === params.get("span")) ?? spans[2],
    by: groups.find(({ value }) => value === params.get("by"))?.value ?? "AGENT",
    agent: text("agent"),
    provider: text("provider"),
    model: text("model"),
    channel: text("channel"),
  };
}

export function variablesOf({ agent, provider, model, channel }: Filters) {
  return {
    agentId: agent || null,
    provider: provider || null,
    model: model || null,
    channel: channel || null,
  };
}

export function changed(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(params);
  if (value === "") next.delete(name);
  else next.set(name, value);
  return next;
}
