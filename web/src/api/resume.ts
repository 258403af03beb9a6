interface Resumable {
  variables?: Record<string, unknown> | null | undefined;
}

/** The newest cursor in one message of a subscription, if it carries one. */
export function cursorOf(data: unknown): string | null {
  if (typeof data !== "object" || data === null) return null;
  for (const value of Object.values(data) as unknown[]) {
    if (typeof value === "object" && value !== null && "cursor" in value) {
      return typeof value.cursor === "string" ? value.cursor : null;
    }
  }
  return null;
}

/**
 * Moves `after` on, so that the socket asks for what it missed when it subscribes again.
 * graphql-ws sends the same payload object after a reconnect.
 */
export function advance(payload: Resumable, data: unknown): void {
  const cursor = cursorOf(data);
  if (cursor !== null) payload.variables = { ...payload.variables, after: cursor };
}

/** Delay before the given attempt: 0.5 s doubling to 15 s, with a random fifth on top. */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const base = Math.min(500 * 2 ** attempt, 15_000);
  return Math.round(base * (1 + random / 5));
}
