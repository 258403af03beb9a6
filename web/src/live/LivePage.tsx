import { Anchor, Badge, Box, Button, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { memo, useDeferredValue, useState, useSyncExternalStore } from "react";
import { Link } from "react-router";
import { useConnection } from "../api/context";
import { EmptyState } from "../kit/EmptyState";
import { formatClock, formatDateTime } from "../kit/format";
import { LiveIcon, PauseIcon, PlayIcon } from "../kit/icons";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useEvents } from "./events";
import { type GatewayEvent, matches } from "./feed";

export default function LivePage() {
  const { feed, problem } = useEvents();
  const arriving = useSyncExternalStore(feed.subscribe, feed.read);
  const [held, setHeld] = useState<readonly GatewayEvent[] | null>(null);
  const [filter, setFilter] = useState("");
  const shown = held ?? arriving;
  const events = useDeferredValue(shown.filter((event) => matches(event, filter.trim())));
  const waiting = held ? arriving.findIndex(({ cursor }) => cursor === held[0]?.cursor) : 0;
  const missed = waiting === -1 ? arriving.length : waiting;

  return (
    <Page
      actions={
        <Group gap="xs">
          <Button
            leftSection={held ? <PlayIcon /> : <PauseIcon />}
            onClick={() => setHeld(held ? null : arriving)}
            variant={held ? "filled" : "default"}
          >
            {held ? (missed > 0 ? `Continue (${missed} new)` : "Continue") : "Pause"}
          </Button>
          <Button
            disabled={shown.length === 0}
            onClick={() => {
              feed.clear();
              setHeld(null);
            }}
            variant="default"
          >
            Clear
          </Button>
        </Group>
      }
      lead="What happens in the gateway, as it happens. The newest 500 events since you opened the page are kept."
      title="Live"
    >
      {problem && <ProblemNotice problem={problem} title="The feed stopped" />}
      <TextInput
        aria-label="Filter events"
        maw={320}
        onChange={(event) => setFilter(event.currentTarget.value)}
        placeholder="Filter by kind, user or content"
        type="search"
        value={filter}
      />
      {events.length === 0 ? (
        <Nothing filtered={filter.trim() !== ""} />
      ) : (
        <Stack aria-label="Events" aria-live="off" gap={0} role="feed">
          {events.map((event) => (
            <EventRow event={event} key={event.cursor} />
          ))}
        </Stack>
      )}
    </Page>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const connected = useConnection() === "connected";
  if (filtered) {
    return (
      <EmptyState icon={<LiveIcon size={40} />} title="No event matches">
        Try another word, or clear the filter.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<LiveIcon size={40} />} title={connected ? "Waiting for something to happen" : "Connecting"}>
      {connected ? (
        <>
          <Anchor component={Link} size="sm" to="/chat" underline="always">
            Start a chat
          </Anchor>{" "}
          or change an agent in another tab, and it appears here.
        </>
      ) : (
        "Events that happen meanwhile are caught up with."
      )}
    </EmptyState>
  );
}

const EventRow = memo(function EventRow({ event }: { event: GatewayEvent }) {
  return (
    <Box className="event" component="article" tabIndex={0}>
      <Group gap="xs">
        <Text c="dimmed" ff="monospace" size="xs" title={formatDateTime(event.at)}>
          {formatClock(event.at)}
        </Text>
        <Badge color={colorOf(event.kind)} tt="none">
          {event.kind}
        </Badge>
        <Text c="dimmed" size="xs">
          {event.userId ?? "gateway"}
        </Text>
        <Target payload={event.payload} />
      </Group>
      <Code className="event-payload">{JSON.stringify(event.payload)}</Code>
    </Box>
  );
});

/** The way to what an event is about, where there is a page for it. */
function Target({ payload }: { payload: unknown }) {
  if (typeof payload !== "object" || payload === null) return null;
  const traceId = "traceId" in payload ? payload.traceId : "trace_id" in payload ? payload.trace_id : null;
  if (typeof traceId !== "string") return null;
  return (
    <Anchor component={Link} size="xs" to={`/traces/${traceId}`}>
      Trace
    </Anchor>
  );
}

function colorOf(kind: string): string {
  if (/error|failed/.test(kind)) return "red";
  if (/deleted|revoked|cancelled/.test(kind)) return "gray";
  return kind.startsWith("run.") ? "claw" : "blue";
}
