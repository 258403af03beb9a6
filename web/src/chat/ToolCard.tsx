import { Badge, Box, Code, Group, Loader, Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { formatDuration } from "../kit/format";
import { AlertIcon, BrainIcon, CheckIcon, ToolIcon } from "../kit/icons";
import { readable, stateOf, type StepState, type ToolStep } from "./steps";

const looks: Record<StepState, { label: string; color: string; icon: ReactNode }> = {
  working: { label: "At work", color: "blue", icon: <Loader aria-hidden color="blue" size={12} /> },
  done: { label: "Done", color: "claw", icon: <CheckIcon size={12} /> },
  failed: { label: "Failed", color: "red", icon: <AlertIcon size={12} /> },
  unknown: { label: "Not finished", color: "gray", icon: null },
};

interface Props {
  step: ToolStep;
  /** Whether its run goes on. */
  goesOn: boolean;
}

/** A tool call in one line; unfolded, with what and with which result. */
export function ToolCard({ step, goesOn }: Props) {
  const state = stateOf(step, goesOn);
  const { label, color, icon } = looks[state];
  return (
    <Folded
      icon={<ToolIcon size={15} />}
      line={
        <>
          <Text component="span" ff="monospace" fw={600} size="xs" style={{ flexShrink: 0 }}>
            {step.name}
          </Text>
          <Text c="dimmed" component="span" ff="monospace" flex="1 1 0" miw={0} size="xs" truncate>
            {step.arguments === "{}" ? "" : step.arguments}
          </Text>
          <Badge color={color} leftSection={icon} size="sm">
            {label}
          </Badge>
          {step.durationMs !== null && (
            <Text c="dimmed" component="span" size="xs" style={{ flexShrink: 0 }}>
              {formatDuration(step.durationMs)}
            </Text>
          )}
        </>
      }
      name={`${step.name}: ${label}`}
    >
      {step.arguments !== "" && <Part label="Arguments" text={readable(step.arguments)} />}
      {step.result !== null && <Part label={step.isError ? "What went wrong" : "Result"} text={step.result} />}
      {state === "unknown" && (
        <Text c="dimmed" size="xs">
          It was interrupted; what came of it is not known.
        </Text>
      )}
    </Folded>
  );
}

export function ThinkingCard({ text }: { text: string }) {
  return (
    <Folded
      icon={<BrainIcon size={15} />}
      line={
        <>
          <Text component="span" fw={600} size="xs">
            Thinking
          </Text>
          <Text c="dimmed" component="span" flex="1 1 0" miw={0} size="xs" truncate>
            {text}
          </Text>
        </>
      }
      name="Thinking"
    >
      <Text size="sm" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {text}
      </Text>
    </Folded>
  );
}

interface FoldedProps {
  name: string;
  icon: ReactNode;
  line: ReactNode;
  children: ReactNode;
}

function Folded({ name, icon, line, children }: FoldedProps) {
  return (
    <Paper aria-label={name} className="step" component="details" my={6} radius="md" withBorder>
      <Box component="summary" px="sm" py={6}>
        <Group component="span" display="flex" gap={8} wrap="nowrap">
          {icon}
          {line}
        </Group>
      </Box>
      <Box pb="sm" px="sm">
        {children}
      </Box>
    </Paper>
  );
}

function Part({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Text c="dimmed" mt={4} size="xs">
        {label}
      </Text>
      <Code block mah={260} style={{ overflow: "auto", overflowWrap: "anywhere", whiteSpace: "pre-wrap" }} tabIndex={0}>
        {text === "" ? "(empty)" : text}
      </Code>
    </>
  );
}
