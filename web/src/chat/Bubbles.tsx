import { Anchor, Box, Code, Group, Paper, Text } from "@mantine/core";
import { type ReactNode, useDeferredValue } from "react";
import { Link } from "react-router";
import { makeProblem } from "../api/errors";
import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import { formatCost, formatCount, formatDuration } from "../kit/format";
import { ProblemNotice } from "../kit/ProblemNotice";
import { Markdown } from "./Markdown";
import type { LiveRun } from "./run";

export function UserBubble({ text, faint = false }: { text: string; faint?: boolean }) {
  return (
    <Group justify="flex-end">
      <Paper
        bg="var(--mantine-primary-color-light)"
        maw="min(85%, 640px)"
        opacity={faint ? 0.7 : 1}
        px="md"
        py="xs"
        radius="lg"
      >
        <Text style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{text}</Text>
      </Paper>
    </Group>
  );
}

interface AnswerProps {
  name: string;
  message: MessageFieldsFragment;
  run: RunFieldsFragment | null;
}

export function Answer({ name, message, run }: AnswerProps) {
  return (
    <Answering name={name}>
      {message.content !== "" && <Markdown text={message.content} />}
      <ToolCalls calls={message.toolCalls} />
      {run && <RunLine run={run} />}
    </Answering>
  );
}

export function LiveAnswer({ name, live }: { name: string; live: LiveRun }) {
  const text = useDeferredValue(live.text);
  return (
    <Answering busy={!live.ended} name={name}>
      {text === "" ? (
        <Text c="dimmed" className="caret" component="span" size="sm">
          Thinking
        </Text>
      ) : (
        <Box className={live.ended ? "" : "streaming"}>
          <Markdown text={text} />
        </Box>
      )}
      {live.incomplete && (
        <Text c="dimmed" size="xs">
          Part of the answer was missed; it is completed at the end.
        </Text>
      )}
      {live.run.status === "COMPLETED" && <RunLine run={live.run} />}
    </Answering>
  );
}

function Answering({ name, busy = false, children }: { name: string; busy?: boolean; children: ReactNode }) {
  return (
    <Box aria-busy={busy} maw={720}>
      <Text c="dimmed" fw={600} mb={2} size="xs">
        {name}
      </Text>
      {children}
    </Box>
  );
}

/** What an answer took, and the way to its trace. */
function RunLine({ run }: { run: RunFieldsFragment }) {
  const took = run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const parts = [
    run.model,
    `${formatCount(run.inputTokens)} in, ${formatCount(run.outputTokens)} out`,
    formatDuration(took),
    `cost ${formatCost(run.costUsd)}`,
  ];
  return (
    <Text c="dimmed" mt={6} size="xs">
      {parts.join(" · ")} · <TraceLink run={run} />
    </Text>
  );
}

export function ToolResult({ message }: { message: MessageFieldsFragment }) {
  return (
    <Box component="details" maw={720}>
      <Text c="dimmed" component="summary" size="xs" style={{ cursor: "pointer" }}>
        Result of {message.name ?? "a tool"}
      </Text>
      <Code block mah={240} mt={4} style={{ overflow: "auto", whiteSpace: "pre-wrap" }}>
        {message.content}
      </Code>
    </Box>
  );
}

function ToolCalls({ calls }: { calls: unknown }) {
  if (!Array.isArray(calls) || calls.length === 0) return null;
  return (
    <Code block mt={4} style={{ whiteSpace: "pre-wrap" }}>
      {JSON.stringify(calls, null, 2)}
    </Code>
  );
}

interface ProblemProps {
  run: RunFieldsFragment;
  onRetry: (() => void) | undefined;
}

export function RunProblem({ run, onRetry }: ProblemProps) {
  if (run.status === "CANCELLED") {
    return (
      <Group gap="xs">
        <Text c="dimmed" fs="italic" size="sm">
          The answer was stopped.
        </Text>
        <TraceLink run={run} />
      </Group>
    );
  }
  return (
    <Box maw={720}>
      <ProblemNotice
        links={<TraceLink run={run} />}
        onRetry={onRetry}
        problem={makeProblem(run.errorCode ?? "internal", run.errorMessage ?? "")}
        retryLabel="Send it again"
        title="The answer failed"
      />
    </Box>
  );
}

function TraceLink({ run }: { run: RunFieldsFragment }) {
  return (
    <Anchor component={Link} size="xs" to={`/traces/${run.traceId}`} underline="always">
      Trace
    </Anchor>
  );
}
