import { ActionIcon, Box, Button, Drawer, Flex } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { ChatAgentsDocument } from "../gql/graphql";
import { EmptyState } from "../kit/EmptyState";
import { AgentIcon, ChatIcon, ListIcon } from "../kit/icons";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useRefreshOn } from "../live/events";
import { AgentPicker, type ChatAgent, preferredAgent } from "./AgentPicker";
import { Conversation, type Started } from "./Conversation";
import { SessionList } from "./SessionList";

export function ChatPage() {
  const sessionId = useParams().sessionId ?? null;
  const navigate = useNavigate();
  const [listOpened, list] = useDisclosure(false);
  const [started, setStarted] = useState<Started | null>(null);
  const [{ data, error }, refreshAgents] = useQuery({ query: ChatAgentsDocument });
  const [chosenId, setChosenId] = useState(useWantedAgent());
  useRefreshOn(["agent", "provider"], () => refreshAgents({ requestPolicy: "network-only" }));

  const agents = data?.agents.nodes.filter(({ status }) => status === "ACTIVE") ?? [];
  const agent = agents.find(({ id }) => id === chosenId) ?? preferredAgent(agents);
  const onStarted = (next: Started) => {
    setStarted(next);
    if (next.run.sessionId !== sessionId) void navigate(`/chat/${next.run.sessionId}`);
  };
  const sessions = (
    <SessionList
      current={sessionId}
      onChoose={list.close}
      onDeleted={(id) => {
        if (id === sessionId) void navigate("/chat");
      }}
    />
  );

  return (
    <Flex className="chat">
      <Box className="chat-sessions" visibleFrom="md">
        {sessions}
      </Box>
      <Drawer hiddenFrom="md" onClose={list.close} opened={listOpened} padding="xs" size={300} title="Chats">
        {sessions}
      </Drawer>
      <Conversation
        agent={agent}
        agents={agents}
        key={sessionId ?? "new"}
        listButton={
          <ActionIcon aria-label="Show chats" color="gray" hiddenFrom="md" onClick={list.open} variant="subtle">
            <ListIcon />
          </ActionIcon>
        }
        onEnded={() => setStarted(null)}
        onStarted={onStarted}
        sessionId={sessionId}
        started={started?.run.sessionId === sessionId ? started : null}
        welcome={
          error ? (
            <ProblemNotice problem={problemOf(error)} />
          ) : (
            data && <Welcome agent={agent} agents={agents} onChoose={({ id }) => setChosenId(id)} />
          )
        }
      />
    </Flex>
  );
}

/** The agent another page sent the reader here for. */
function useWantedAgent(): string | null {
  const state: unknown = useLocation().state;
  if (typeof state !== "object" || state === null || !("agentId" in state)) return null;
  return typeof state.agentId === "string" ? state.agentId : null;
}

interface WelcomeProps {
  agents: readonly ChatAgent[];
  agent: ChatAgent | null;
  onChoose: (agent: ChatAgent) => void;
}

function Welcome({ agents, agent, onChoose }: WelcomeProps) {
  if (!agent) {
    return (
      <EmptyState
        action={
          <Button component={Link} to="/agents/new">
            Create an agent
          </Button>
        }
        icon={<AgentIcon size={40} />}
        title="There is no agent to talk to yet"
      >
        An agent is a model with a name and instructions. Create one, then come back to chat.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      action={<AgentPicker agents={agents} onChange={onChoose} value={agent} />}
      icon={<ChatIcon size={40} />}
      title="What would you like to know?"
    >
      Choose who answers and write a message below.
    </EmptyState>
  );
}
