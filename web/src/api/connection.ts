export type ConnectionState = "connecting" | "connected" | "waiting" | "refused";

/** The state of the socket, readable by useSyncExternalStore. */
export class Connection {
  #state: ConnectionState = "connecting";
  readonly #listeners = new Set<() => void>();

  readonly read = (): ConnectionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
