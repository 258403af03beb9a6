import { Button, Group } from "@mantine/core";
import { Answer, LiveAnswer, RunProblem, UserBubble } from "./Bubbles";
import type { TimelineItem } from "./timeline";
import { ToolCard } from "./ToolCard";

interface Props {
  items: readonly TimelineItem[];
  agent: string;
  hasOlder: boolean;
  onOlder: () => void;
  /** Sends a question again; absent while something is being answered. */
  onRetry: ((text: string) => void) | undefined;
}

export function Transcript({ items, agent, hasOlder, onOlder, onRetry }: Props) {
  return (
    <>
      {hasOlder && (
        <Group justify="center">
          <Button onClick={onOlder} size="compact-sm" variant="subtle">
            Show earlier messages
          </Button>
        </Group>
      )}
      {items.map((item, index) => (
        <Item
          agent={agent}
          item={item}
          key={item.key}
          onRetry={index === items.length - 1 ? retryOf(items, onRetry) : undefined}
        />
      ))}
    </>
  );
}

interface ItemProps {
  item: TimelineItem;
  agent: string;
  onRetry: (() => void) | undefined;
}

function Item({ item, agent, onRetry }: ItemProps) {
  switch (item.kind) {
    case "pending":
      return <UserBubble faint text={item.text} waits={item.waits} />;
    case "live":
      return <LiveAnswer live={item.live} name={agent} taken={item.taken} thinking={item.thinking} />;
    case "tool":
      return <ToolCard goesOn={false} step={item.step} />;
    case "problem":
      return <RunProblem onRetry={onRetry} run={item.run} traced={item.traced} />;
    case "message":
      if (item.message.role === "USER") return <UserBubble text={item.message.content} />;
      return <Answer {...item} name={agent} />;
  }
}

function retryOf(
  items: readonly TimelineItem[],
  onRetry: ((text: string) => void) | undefined,
): (() => void) | undefined {
  const question = items.findLast((item) => item.kind === "message" && item.message.role === "USER");
  if (!onRetry || question?.kind !== "message") return undefined;
  return () => onRetry(question.message.content);
}
