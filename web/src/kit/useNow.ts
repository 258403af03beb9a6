import { useSyncExternalStore } from "react";

const stepMs = 15_000;
const listeners = new Set<() => void>();
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): number {
  return now;
}

setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, stepMs);

/** The time, good to a quarter of a minute; one clock for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, read);
}
