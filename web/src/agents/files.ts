import type { AgentType } from "../gql/graphql";
import { formatCount } from "../kit/format";
import { asRecord } from "./configs";

export const maxCharacters = 20_000;
export const usersFile = "USER.md";

interface About {
  name: string;
  what: string;
}

const persona: About[] = [
  { name: "SOUL.md", what: "Persona: character, tone, what it stands for." },
  { name: "IDENTITY.md", what: "Name and emoji." },
  { name: "AGENTS.md", what: "How it works." },
  { name: "TOOLS.md", what: "How it uses its tools." },
];

/** The files an agent can have, each with what it is for. */
export function filesOf(type: AgentType): About[] {
  const beginnings: About[] = [
    { name: usersFile, what: "What is known of a new user; then each user has their own." },
    { name: "BOOTSTRAP.md", what: "How it meets a new user; then each user has their own." },
  ];
  const shared = { name: "USER_PREDEFINED.md", what: "Rules for all users." };
  return [...persona, ...(type === "PREDEFINED" ? [shared] : []), ...beginnings];
}

const begun = new Set([usersFile, "BOOTSTRAP.md"]);
const begunWhereOpen = new Set([...begun, "SOUL.md", "IDENTITY.md", "AGENTS.md"]);

/** What holds where an agent has no such file: for some, users begin with the server's text. */
export function unwrittenLabel(type: AgentType, name: string): string {
  const texts = type === "PREDEFINED" ? begun : begunWhereOpen;
  return texts.has(name) ? "not written: new users get the server's" : "not written";
}

/** Characters as the server counts them: an emoji is one, not two. */
export function charactersIn(text: string): number {
  return Array.from(text).length;
}

export function sizeLabel(characters: number): string {
  return `${formatCount(characters)} ${characters === 1 ? "character" : "characters"}`;
}

/** Texts about a user that other programs keep, by name. */
export function factsIn(metadata: unknown): [string, string][] {
  return Object.entries(asRecord(metadata)).map(([name, value]) => [name, String(value)]);
}
