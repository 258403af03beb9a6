import { Box, Text, VisuallyHidden } from "@mantine/core";
import { type KeyboardEvent, useMemo, useRef } from "react";
import type { RunStatus, SpanType } from "../gql/graphql";
import { formatDuration } from "../kit/format";
import { useNow } from "../kit/useNow";
import type { Span } from "./TracePage";
import { layOut } from "./waterfall";
import classes from "./Waterfall.module.css";

interface Props {
  spans: readonly Span[];
  chosen: string;
  onChoose: (id: string) => void;
}

const colors: Record<SpanType, string> = {
  LLM_CALL: "var(--mantine-color-claw-6)",
  TOOL_CALL: "var(--mantine-color-orange-6)",
  AGENT: "var(--mantine-color-gray-5)",
  EMBEDDING: "var(--mantine-color-violet-5)",
  EVENT: "var(--mantine-color-blue-5)",
};

export const spanTypeNames: Record<SpanType, string> = {
  LLM_CALL: "Model call",
  TOOL_CALL: "Tool call",
  AGENT: "Agent",
  EMBEDDING: "Embedding",
  EVENT: "Event",
};

const failed: RunStatus[] = ["ERROR"];

/** Spans as bars over time: one tab stop, arrow keys move between them. */
export function Waterfall({ spans, chosen, onChoose }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const now = useNow();
  const bars = useMemo(() => layOut(spans, now), [spans, now]);

  const move = (event: KeyboardEvent) => {
    const at = bars.findIndex(({ span }) => span.id === chosen);
    const to = target(event.key, at, bars.length - 1);
    const next = bars[to];
    if (!next || to === at) return;
    event.preventDefault();
    onChoose(next.span.id);
    list.current?.querySelectorAll<HTMLElement>("[role=option]")[to]?.focus();
  };

  return (
    <Box aria-label="Spans over time" className={classes.list} onKeyDown={move} ref={list} role="listbox">
      {bars.map(({ span, depth, left, width }) => (
        <Box
          aria-selected={span.id === chosen}
          className={classes.row ?? ""}
          key={span.id}
          onClick={() => onChoose(span.id)}
          role="option"
          tabIndex={span.id === chosen ? 0 : -1}
        >
          <Text className={classes.name ?? ""} component="span" pl={depth * 14} size="sm" truncate>
            <VisuallyHidden>{spanTypeNames[span.spanType]} </VisuallyHidden>
            {span.name}
            {failed.includes(span.status) && <VisuallyHidden>, failed</VisuallyHidden>}
          </Text>
          <span className={classes.track}>
            <span
              className={classes.bar}
              style={{
                left: `${left}%`,
                width: `${width}%`,
                background: failed.includes(span.status) ? "var(--mantine-color-red-6)" : colors[span.spanType],
              }}
            />
          </span>
          <Text c="dimmed" className={classes.time ?? ""} component="span" size="xs">
            {formatDuration(span.durationMs)}
          </Text>
        </Box>
      ))}
    </Box>
  );
}

function target(key: string, at: number, last: number): number {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, last);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return at;
  }
}
