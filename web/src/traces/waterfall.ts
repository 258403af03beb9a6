interface TimedSpan {
  id: string;
  parentSpanId: string | null;
  startTime: string;
  endTime: string | null;
  durationMs: number | null;
}

export interface Bar<Span> {
  span: Span;
  depth: number;
  /** Where the bar starts and how long it is, in percent of the whole trace. */
  left: number;
  width: number;
}

/** A bar this narrow can still be seen and hit. */
const leastWidth = 0.6;

/**
 * Lays spans out as a tree, parents first, siblings by start. A span whose parent is not there
 * is a root; one that still runs reaches to `now`.
 */
export function layOut<Span extends TimedSpan>(spans: readonly Span[], now: number): Bar<Span>[] {
  if (spans.length === 0) return [];
  const start = Math.min(...spans.map(startOf));
  const end = Math.max(...spans.map((span) => endOf(span, now)), start + 1);
  const percent = (milliseconds: number) => (milliseconds / (end - start)) * 100;
  return inTreeOrder(spans).map(({ span, depth }) => {
    const width = Math.max(percent(endOf(span, now) - startOf(span)), leastWidth);
    return { span, depth, left: Math.min(percent(startOf(span) - start), 100 - leastWidth), width };
  });
}

function inTreeOrder<Span extends TimedSpan>(spans: readonly Span[]) {
  const known = new Set(spans.map(({ id }) => id));
  const children = new Map<string | null, Span[]>();
  for (const span of [...spans].sort((a, b) => startOf(a) - startOf(b))) {
    const { id, parentSpanId } = span;
    const parent = parentSpanId !== null && parentSpanId !== id && known.has(parentSpanId) ? parentSpanId : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const ordered: { span: Span; depth: number }[] = [];
  const seen = new Set<string>();
  const visit = (parent: string | null, depth: number) => {
    for (const span of children.get(parent) ?? []) {
      if (seen.has(span.id)) continue;
      seen.add(span.id);
      ordered.push({ span, depth });
      visit(span.id, depth + 1);
    }
  };
  visit(null, 0);
  return ordered;
}

function startOf(span: TimedSpan): number {
  return Date.parse(span.startTime);
}

function endOf(span: TimedSpan, now: number): number {
  if (span.durationMs !== null) return startOf(span) + span.durationMs;
  return span.endTime === null ? Math.max(now, startOf(span)) : Date.parse(span.endTime);
}
