import type { EventsSubscription } from "../gql/graphql";

export type GatewayEvent = EventsSubscription["events"];

/** The newest events, newest first, never more than `limit`. */
export class Feed {
  readonly #limit: number;
  readonly #listeners = new Set<(event: GatewayEvent | null) => void>();
  #events: readonly GatewayEvent[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly read = (): readonly GatewayEvent[] => this.#events;

  /** The listener gets each event, or null when the feed was emptied. */
  readonly subscribe = (listener: (event: GatewayEvent | null) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  push(event: GatewayEvent): void {
    if (this.#events.some(({ cursor }) => cursor === event.cursor)) return;
    this.#events = [event, ...this.#events].slice(0, this.#limit);
    for (const listener of this.#listeners) listener(event);
  }

  clear(): void {
    this.#events = [];
    for (const listener of this.#listeners) listener(null);
  }
}

/** Whether an event's text fields contain every word of the filter. */
export function matches(event: GatewayEvent, filter: string): boolean {
  const text = [event.kind, event.topic, event.userId ?? "", JSON.stringify(event.payload)]
    .join(" ")
    .toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
