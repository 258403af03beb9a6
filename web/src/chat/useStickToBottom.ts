import { useEffect, useRef } from "react";

const slackPx = 80;

/** Keeps a scrolling box at its end while it grows, unless the reader has scrolled up. */
export function useStickToBottom(restart: string) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const scroller = box.current;
    const grown = content.current;
    if (!scroller || !grown) return undefined;
    let sticking = true;
    const onScroll = () => {
      const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
      sticking = below < slackPx;
    };
    const observer = new ResizeObserver(() => {
      if (sticking) scroller.scrollTop = scroller.scrollHeight;
    });
    observer.observe(grown);
    scroller.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", onScroll);
    };
  }, [restart]);

  return { box, content };
}
