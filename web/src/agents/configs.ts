/** An agent's settings that are JSON: which tools it has, and what other programs put there. */

export interface ToolChoice {
  /** Empty is the server's own. */
  profile: string;
  /** With any, no tool but these. */
  allow: string[];
  alsoAllow: string[];
  deny: string[];
}

export const profiles = [
  { value: "", label: "The server's default" },
  { value: "none", label: "None" },
  { value: "minimal", label: "Minimal: the session's state" },
  { value: "coding", label: "Coding: files, web, sessions, documents" },
  { value: "messaging", label: "Messaging: web and sessions" },
  { value: "full", label: "Full: every tool" },
];

export function toolChoice(config: unknown): ToolChoice {
  return {
    profile: textIn(config, "profile"),
    allow: listIn(config, "allow"),
    alsoAllow: listIn(config, "alsoAllow"),
    deny: listIn(config, "deny"),
  };
}

/** What the form does not know of is kept; what is empty is left out. */
export function toolsConfigOf(stored: unknown, choice: ToolChoice): Record<string, unknown> {
  return withoutEmpty({ ...asRecord(stored), ...choice });
}

export function withoutEmpty(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
}

export function textIn(config: unknown, name: string): string {
  const value = asRecord(config)[name];
  return typeof value === "string" ? value : "";
}

export function numberIn(config: unknown, name: string): number | "" {
  const value = asRecord(config)[name];
  return typeof value === "number" ? value : "";
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function listIn(config: unknown, name: string): string[] {
  const value = asRecord(config)[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}
