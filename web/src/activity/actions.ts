/** What can be done to each kind of thing, in words. */
const kinds: Record<string, { label: string; actions: Record<string, string> }> = {
  agent: {
    label: "Agent",
    actions: {
      created: "Agent made",
      updated: "Agent changed",
      deleted: "Agent deleted",
      shared: "Agent shared",
      unshared: "Share of an agent taken back",
      transferred: "Agent given to another user",
    },
  },
  provider: {
    label: "Provider",
    actions: {
      created: "Provider added",
      updated: "Provider changed",
      deleted: "Provider deleted",
    },
  },
  api_key: {
    label: "API key",
    actions: {
      created: "API key made",
      rotated: "API key rotated",
      revoked: "API key revoked",
      refused: "API key used outside of what it may",
    },
  },
  credential: { label: "Credential", actions: { refused: "Wrong tokens or keys refused" } },
  web_session: {
    label: "Signed-in browser",
    actions: { created: "Signed in", ended: "Signed out" },
  },
  session: { label: "Chat", actions: { updated: "Chat renamed", deleted: "Chat deleted" } },
  cron_job: {
    label: "Cron job",
    actions: {
      created: "Cron job made",
      updated: "Cron job changed",
      deleted: "Cron job deleted",
      run: "Cron job run by hand",
      paused: "Cron job paused after failures",
    },
  },
  user: { label: "User", actions: { purged: "Data of a user deleted" } },
  encryption: { label: "Encryption key", actions: { rotated: "Encryption key rotated" } },
};

export interface Choice {
  value: string;
  label: string;
}

export const kindChoices: Choice[] = Object.entries(kinds).map(([value, { label }]) => ({ value, label }));

/** The actions on a kind of thing, or all of them. */
export function actionChoices(kind: string): Choice[] {
  return Object.entries(kinds)
    .filter(([name]) => kind === "" || kind === name)
    .flatMap(([name, { actions }]) =>
      Object.entries(actions).map(([verb, label]) => ({ value: `${name}.${verb}`, label })),
    );
}

export function kindOf(action: string): string {
  return action.split(".")[0] ?? "";
}

/** The action in words; one of a newer gateway as it calls it. */
export function actionName(action: string): string {
  const [kind = "", verb = ""] = action.split(".");
  return kinds[kind]?.actions[verb] ?? action;
}

export function kindName(kind: string): string {
  return kinds[kind]?.label ?? kind;
}

/** What else is known, as "name: report · scopes: operator.read, operator.write". */
export function detailsLine(details: unknown): string {
  if (typeof details !== "object" || details === null) return "";
  return Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${detail(value)}`)
    .join(" · ");
}

function detail(value: unknown): string {
  if (Array.isArray(value)) return value.map(detail).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
