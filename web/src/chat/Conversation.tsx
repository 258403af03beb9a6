import { Box, Flex, Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { agentName } from "../agents/names";
import { useMay, useSigned } from "../api/context";
import type { Problem } from "../api/errors";
import { CancelRunDocument, type RunFieldsFragment } from "../gql/graphql";
import { Loading } from "../kit/List";
import { useDocumentTitle } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { useEvery } from "../kit/useEvery";
import { type ChatAgent, LocalBadge } from "./AgentPicker";
import { Composer } from "./Composer";
import { sessionTitle } from "./names";
import { settle } from "./run";
import { timeline } from "./timeline";
import { Transcript } from "./Transcript";
import { useConversation } from "./useConversation";
import { useLiveRun } from "./useLiveRun";
import { useSend } from "./useSend";
import { useStickToBottom } from "./useStickToBottom";
import { hasWaiting, waitingOf } from "./waiting";

/** No event tells when a run takes what was said to it. */
const lookAgainMs = 1_500;

export interface Started {
  run: RunFieldsFragment;
  text: string;
}

interface Props {
  sessionId: string | null;
  agents: readonly ChatAgent[];
  /** The agent a new chat is for. */
  agent: ChatAgent | null;
  started: Started | null;
  onStarted: (started: Started) => void;
  onEnded: () => void;
  /** Shown in place of messages in a new chat. */
  welcome: ReactNode;
  listButton: ReactNode;
}

export function Conversation(props: Props) {
  const { sessionId, agents, agent, started, onStarted, onEnded, welcome, listButton } = props;
  const stored = useConversation(sessionId);
  const { live: followed, problem: lost } = useLiveRun(
    stored.session?.activeRun ?? started?.run ?? null,
    () => {
      stored.refresh();
      onEnded();
    },
  );
  const live = settle(followed, stored.runs);
  const { send, busy } = useSend({ sessionId, agentId: agent?.id ?? null });
  const cancel = useAction(CancelRunDocument);
  const [sending, setSending] = useState<string | null>(null);
  const [said, setSaid] = useState<Said>(nothingSaid);
  const [failure, setFailure] = useState<Problem | null>(null);
  const { box, content } = useStickToBottom(sessionId ?? "");
  const closed = useClosedReason(agents, sessionId);
  useDocumentTitle(stored.session ? sessionTitle(stored.session) : "Chat");

  const answering = live !== null && !live.ended;
  const submit = async (text: string): Promise<boolean> => {
    const busyRun = answering ? live.run.id : null;
    if (busyRun === null) setSending(text);
    else setSaid((before) => withSaid(before, busyRun, text));
    setFailure(null);
    const { run, problem } = await send(text);
    setSending(null);
    setFailure(problem);
    const isTaken = run !== null && run.id === busyRun;
    if (busyRun !== null && !isTaken) setSaid((before) => withoutSaid(before, busyRun, text));
    if (run && !isTaken) onStarted({ run, text });
    if (run && sessionId !== null) stored.refresh();
    return run !== null;
  };
  const stop = async () => {
    if (!live) return;
    const { problem } = await cancel.run({ runId: live.run.id });
    setFailure(problem);
  };

  useEvery(hasWaiting(live, stored.messages) ? lookAgainMs : null, stored.refresh);

  const items = timeline({
    messages: stored.messages,
    runs: stored.runs,
    live,
    sent: sending ?? started?.text ?? null,
    waiting: waitingOf(said.runId === live?.run.id ? said.texts : [], live, stored.messages),
  });
  const problem = failure ?? stored.problem ?? lost;
  const chosen = agents.find(({ id }) => id === stored.session?.agent?.id) ?? agent;

  return (
    <Flex direction="column" flex={1} h="100%" miw={0}>
      <Group className="chat-head" gap="sm" px="md" py={8} wrap="nowrap">
        {listButton}
        <Text component="h1" fw={600} m={0} truncate>
          {stored.session ? sessionTitle(stored.session) : "New chat"}
        </Text>
        {stored.session && chosen?.provider.source === "EMBEDDED" && <LocalBadge />}
      </Group>
      <Box flex={1} mih={0} ref={box} style={{ overflowY: "auto" }} tabIndex={0} aria-label="Messages" role="region">
        <Stack aria-busy={answering} aria-live="polite" gap="lg" maw={820} mx="auto" p="md" ref={content} role="log">
          {stored.loading && items.length === 0 && <Loading />}
          {sessionId === null && items.length === 0 ? (
            welcome
          ) : (
            <Transcript
              agent={stored.session ? agentName(stored.session.agent) : chosen ? agentName(chosen) : "Agent"}
              hasOlder={stored.hasOlder}
              items={items}
              onOlder={() => void stored.loadOlder()}
              onRetry={answering || busy ? undefined : (text) => void submit(text)}
            />
          )}
        </Stack>
      </Box>
      <Box maw={820} mx="auto" pb="md" px="md" w="100%">
        <Stack gap="xs">
          {problem && <ProblemNotice onRetry={stored.problem ? stored.refresh : undefined} problem={problem} />}
          <Composer
            answering={answering}
            closed={closed}
            onSend={submit}
            onStop={() => void stop()}
            sending={busy}
            takesMore={live?.run.takesMore ?? false}
          />
          <Text c="dimmed" size="xs" ta="center" visibleFrom="sm">
            Enter sends, Shift+Enter starts a new line.
          </Text>
        </Stack>
      </Box>
    </Flex>
  );
}

/** What was said to a run while it was busy. */
interface Said {
  runId: string | null;
  texts: readonly string[];
}

const nothingSaid: Said = { runId: null, texts: [] };

function withSaid(before: Said, runId: string, text: string): Said {
  return { runId, texts: [...(before.runId === runId ? before.texts : []), text] };
}

function withoutSaid({ texts }: Said, runId: string, text: string): Said {
  const place = texts.lastIndexOf(text);
  return { runId, texts: texts.filter((_, each) => each !== place) };
}

function useClosedReason(agents: readonly ChatAgent[], sessionId: string | null): string | null {
  const { me } = useSigned();
  const mayWrite = useMay("WRITE");
  if (!mayWrite) return "Your key may read chats, but not write";
  if (me.userId === null) return "Sign in with a user id to chat";
  if (sessionId === null && agents.length === 0) return "Create an agent first";
  return null;
}
