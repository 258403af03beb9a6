import { Anchor, Box, Group, Loader, Paper, Stack, Text } from "@mantine/core";
import { type ReactNode, useDeferredValue } from "react";
import { Link } from "react-router";
import { makeProblem } from "../api/errors";
import type { MessageFieldsFragment, RunFieldsFragment } from "../gql/graphql";
import { formatCost, formatDuration, formatTokens } from "../kit/format";
import { ProblemNotice } from "../kit/ProblemNotice";
import { Markdown } from "./Markdown";
import { type LiveRun, type Retry, type Segment, segments, type Thinking, withStoredThinking } from "./run";
import type { ToolStep } from "./steps";
import { ThinkingCard, ToolCard } from "./ToolCard";

interface BubbleProps {
  text: string;
  faint?: boolean;
  /** The agent has not taken it yet. */
  waits?: boolean;
}

export function UserBubble({ text, faint = false, waits = false }: BubbleProps) {
  return (
    <Stack align="flex-end" gap={4}>
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
      {waits && (
        <Group gap={6}>
          <Loader aria-hidden color="gray" size={10} />
          <Text c="dimmed" size="xs">
            Waiting for the agent's next step
          </Text>
        </Group>
      )}
    </Stack>
  );
}

interface AnswerProps {
  name: string;
  message: MessageFieldsFragment;
  steps: readonly ToolStep[];
  run: RunFieldsFragment | null;
  /** Whether its name stands above it. */
  opens: boolean;
}

export function Answer({ name, message, steps, run, opens }: AnswerProps) {
  return (
    <Answering name={opens ? name : null}>
      {message.thinking !== null && <ThinkingCard text={message.thinking} />}
      {message.content !== "" && <Markdown text={message.content} />}
      {steps.map((step) => (
        <ToolCard goesOn={false} key={step.callId} step={step} />
      ))}
      {run && <RunLine run={run} />}
    </Answering>
  );
}

interface LiveProps {
  name: string;
  live: LiveRun;
  thinking: Thinking;
  /** How much of what was said meanwhile the run has taken. */
  taken: number;
}

export function LiveAnswer({ name, live, thinking, taken }: LiveProps) {
  const shown = useDeferredValue(live);
  const parts = withStoredThinking(segments(shown), thinking);
  const said = parts.filter(({ kind }) => kind === "said");
  return (
    <Answering busy={!live.ended} name={name}>
      {parts.map((part, place) => (
        <LivePart
          goesOn={!live.ended}
          key={keyOf(part, place)}
          part={part}
          waits={!live.ended && said.indexOf(part) >= taken}
        />
      ))}
      {!live.ended && live.retry && <RetryLine retry={live.retry} />}
      {!live.ended && !live.retry && isSilent(parts) && (
        <Text c="dimmed" className="caret" component="span" size="sm">
          Thinking
        </Text>
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

function RetryLine({ retry }: { retry: Retry }) {
  return (
    <Group gap={6} role="status" wrap="nowrap">
      <Loader aria-hidden color="gray" size={10} />
      <Text c="dimmed" size="sm">
        {retry.provider} did not answer ({retry.errorCode}). Asking again: attempt {retry.attempt} of{" "}
        {retry.maxAttempts}.
      </Text>
    </Group>
  );
}

interface PartProps {
  part: Segment;
  goesOn: boolean;
  /** It was said and is not taken yet. */
  waits: boolean;
}

function LivePart({ part, goesOn, waits }: PartProps) {
  if (part.kind === "text") return <Markdown text={part.text} />;
  if (part.kind === "thinking") return <ThinkingCard text={part.text} />;
  if (part.kind === "said") return <UserBubble faint={waits} text={part.text} waits={waits} />;
  return <ToolCard goesOn={goesOn} step={part.step} />;
}

function keyOf(part: Segment, place: number): string {
  return part.kind === "tool" ? part.step.callId : `${part.kind} ${place}`;
}

/** Nothing is being written, and no tool is at work. */
function isSilent(parts: readonly Segment[]): boolean {
  const last = parts.at(-1);
  if (last?.kind === "text" || last?.kind === "thinking") return false;
  return !parts.some((part) => part.kind === "tool" && part.step.result === null);
}

interface AnsweringProps {
  /** Null behind what the same agent has just said. */
  name: string | null;
  busy?: boolean;
  children: ReactNode;
}

function Answering({ name, busy = false, children }: AnsweringProps) {
  return (
    <Box aria-busy={busy} maw={720}>
      {name !== null && (
        <Text c="dimmed" fw={600} mb={2} size="xs">
          {name}
        </Text>
      )}
      {children}
    </Box>
  );
}

/** What an answer took, and the way to its trace. */
function RunLine({ run }: { run: RunFieldsFragment }) {
  const took = run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const parts = [
    run.model,
    formatTokens(run),
    formatDuration(took),
    `cost ${formatCost(run.costUsd)}`,
  ];
  return (
    <Text c="dimmed" mt={6} size="xs">
      {parts.join(" · ")} · <TraceLink run={run} />
    </Text>
  );
}

interface ProblemProps {
  run: RunFieldsFragment;
  /** What stands above leads to the trace. */
  traced: boolean;
  onRetry: (() => void) | undefined;
}

export function RunProblem({ run, traced, onRetry }: ProblemProps) {
  if (run.status === "CANCELLED") {
    return (
      <Group gap="xs">
        <Text c="dimmed" fs="italic" size="sm">
          The answer was stopped.
        </Text>
        {!traced && <TraceLink run={run} />}
      </Group>
    );
  }
  return (
    <Box maw={720}>
      <ProblemNotice
        links={traced ? undefined : <TraceLink run={run} />}
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
