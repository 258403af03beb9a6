import { Badge, Box, Card, Code, Group, Stack, Text, Title } from "@mantine/core";
import { Markdown } from "../chat/Markdown";
import type { MessageFieldsFragment, MessageRole } from "../gql/graphql";
import { formatCost, formatDuration, formatTokens } from "../kit/format";
import { StatusBadge } from "../kit/StatusBadge";
import type { Span } from "./TracePage";
import { spanTypeNames } from "./Waterfall";

const speakers: Record<MessageRole, { label: string; color: string }> = {
  SYSTEM: { label: "System", color: "gray" },
  USER: { label: "User", color: "blue" },
  ASSISTANT: { label: "Assistant", color: "claw" },
  TOOL: { label: "Tool", color: "orange" },
};

export function SpanDetail({ span }: { span: Span }) {
  return (
    <Card aria-label={`Span ${span.name}`} aria-live="polite" component="section" withBorder>
      <Stack gap="sm">
        <Group gap="xs">
          <Title order={3}>{span.name}</Title>
          <Badge color="gray">{spanTypeNames[span.spanType]}</Badge>
          <StatusBadge status={span.status} />
        </Group>
        <Text c="dimmed" size="sm">
          {factsOf(span).join(" · ")}
        </Text>
        {span.error !== null && (
          <Text c="red" size="sm">
            {span.error}
          </Text>
        )}
        <Said span={span} />
      </Stack>
    </Card>
  );
}

function factsOf(span: Span): string[] {
  const facts = [formatDuration(span.durationMs)];
  if (span.model !== null) facts.push([span.provider, span.model].filter(Boolean).join(" / "));
  if (span.inputTokens !== null || span.outputTokens !== null) {
    facts.push(formatTokens({ inputTokens: span.inputTokens ?? 0, outputTokens: span.outputTokens ?? 0 }));
    facts.push(`cost ${formatCost(span.costUsd)}`);
  }
  if (span.toolName !== null) facts.push(`tool ${span.toolName}`);
  if (span.finishReason !== null) facts.push(`ended by ${span.finishReason}`);
  return facts;
}

/** The stored messages, or the previews of spans that have none. */
function Said({ span }: { span: Span }) {
  if (span.messages.length > 0) {
    return span.messages.map((message) => <SpokenMessage key={message.id} message={message} />);
  }
  if (span.inputPreview === null && span.outputPreview === null) {
    return (
      <Text c="dimmed" size="sm">
        Nothing was recorded for this span.
      </Text>
    );
  }
  return (
    <>
      {span.inputPreview !== null && <Preview label="In" text={span.inputPreview} />}
      {span.outputPreview !== null && <Preview label="Out" text={span.outputPreview} />}
    </>
  );
}

function SpokenMessage({ message }: { message: MessageFieldsFragment }) {
  const { label, color } = speakers[message.role];
  return (
    <Box>
      <Badge color={color} mb={4} size="sm">
        {message.name ?? label}
      </Badge>
      {message.role === "ASSISTANT" ? (
        <Markdown text={message.content} />
      ) : (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {message.content}
        </Text>
      )}
      {message.toolCalls !== null && (
        <Code block mt={4} style={{ whiteSpace: "pre-wrap" }}>
          {JSON.stringify(message.toolCalls, null, 2)}
        </Code>
      )}
    </Box>
  );
}

function Preview({ label, text }: { label: string; text: string }) {
  return (
    <Box>
      <Text c="dimmed" size="xs">
        {label}
      </Text>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {text}
      </Code>
    </Box>
  );
}
