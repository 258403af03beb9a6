import { Anchor, Badge, Select, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { agentName } from "../agents/names";
import type { ChatAgentsQuery } from "../gql/graphql";

export type ChatAgent = ChatAgentsQuery["agents"]["nodes"][number];

interface Props {
  agents: readonly ChatAgent[];
  value: ChatAgent | null;
  onChange: (agent: ChatAgent) => void;
}

export function AgentPicker({ agents, value, onChange }: Props) {
  return (
    <Stack gap={6} mx="auto" w="min(100%, 360px)">
      <Select
        allowDeselect={false}
        data={agents.map((agent) => ({ value: agent.id, label: agentName(agent) }))}
        label="Agent"
        onChange={(id) => {
          const chosen = agents.find((agent) => agent.id === id);
          if (chosen) onChange(chosen);
        }}
        searchable={agents.length > 8}
        size="md"
        value={value?.id ?? null}
      />
      {value && (
        <Text c="dimmed" component="div" size="sm">
          {value.provider.name} · {value.model}{" "}
          {value.provider.source === "EMBEDDED" && <LocalBadge />}
        </Text>
      )}
      {value?.provider.source === "EMBEDDED" && (
        <Text c="dimmed" size="xs">
          A very small model inside the gateway: it chats offline, but knows little and calls no tools. For
          better answers{" "}
          <Anchor component={Link} size="xs" to="/providers/new" underline="always">
            add a provider
          </Anchor>
          .
        </Text>
      )}
    </Stack>
  );
}

export function LocalBadge() {
  return <Badge color="gray">Small local model</Badge>;
}

/** The agent a chat starts with when nobody chose one. */
export function preferredAgent(agents: readonly ChatAgent[]): ChatAgent | null {
  return (
    agents.find(({ key }) => key === "default") ??
    agents.find(({ isDefault }) => isDefault) ??
    agents[0] ??
    null
  );
}
