import { createContext, use, useEffect, useEffectEvent } from "react";
import type { Problem } from "../api/errors";
import { Feed } from "./feed";

export interface Events {
  feed: Feed;
  problem: Problem | null;
}

export const EventsContext = createContext<Events>({ feed: new Feed(0), problem: null });

export function useEvents(): Events {
  return use(EventsContext);
}

const settleMs = 400;

/** Calls `refresh` soon after an event of one of these entities, such as "agent" for agent.created. */
export function useRefreshOn(entities: readonly string[], refresh: () => void): void {
  const { feed } = useEvents();
  const wanted = entities.join(" ");
  const onSettled = useEffectEvent(refresh);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = feed.subscribe((event) => {
      const entity = event?.kind.split(".")[0] ?? "";
      if (entity === "" || !wanted.split(" ").includes(entity)) return;
      clearTimeout(timer);
      timer = setTimeout(() => onSettled(), settleMs);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [feed, wanted]);
}
