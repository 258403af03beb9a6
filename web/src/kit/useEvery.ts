import { useEffect, useEffectEvent } from "react";

/** Does something again and again while the page is looked at; null stops it. */
export function useEvery(milliseconds: number | null, act: () => void): void {
  const onTick = useEffectEvent(act);
  useEffect(() => {
    if (milliseconds === null) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) onTick();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
