import { Anchor, Badge, Button, Group, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { useMay } from "../api/context";
import { LocalBadge } from "../chat/AgentPicker";
import { type AgentItemFragment, AgentsDocument, type AgentsQuery } from "../gql/graphql";
import { EmptyState } from "../kit/EmptyState";
import { AgentIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { agentName } from "./names";
import { AgentStatusBadge } from "./AgentStatusBadge";

const pick = (data: AgentsQuery) => data.agents;

const columns: Column<AgentItemFragment>[] = [
  {
    label: "Agent",
    render: (agent) => (
      <>
        <Group gap={6}>
          <Anchor component={Link} fw={600} to={`/agents/${agent.id}`}>
            {agentName(agent)}
          </Anchor>
          {agent.isDefault && <Badge color="claw">Default</Badge>}
        </Group>
        <Text c="dimmed" lineClamp={1} size="xs">
          {agent.description ?? (agentName(agent) === agent.key ? "" : agent.key)}
        </Text>
      </>
    ),
  },
  {
    label: "Model",
    render: (agent) => (
      <>
        <Text size="sm">{agent.model || "none"}</Text>
        <Group display="inline-flex" gap={6}>
          <Text c="dimmed" component="span" size="xs">
            {agent.provider.displayName ?? agent.provider.name}
          </Text>
          {agent.provider.source === "EMBEDDED" && <LocalBadge />}
        </Group>
      </>
    ),
  },
  { label: "Owner", render: ({ ownerId }) => <Text size="sm">{ownerId}</Text>, wideOnly: true },
  { label: "State", render: ({ status }) => <AgentStatusBadge status={status} /> },
];

export default function AgentsPage() {
  const mayWrite = useMay("WRITE");
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 250);
  const variables = useMemo(() => ({ search: settled === "" ? null : settled }), [settled]);
  const pages = usePages(AgentsDocument, variables, pick);
  useRefreshOn(["agent"], pages.refresh);

  const create = mayWrite && (
    <Button component={Link} to="/agents/new">
      New agent
    </Button>
  );
  return (
    <Page actions={create} lead="A model with a name, instructions and limits." title="Agents">
      <TextInput
        aria-label="Search agents"
        maw={320}
        onChange={(event) => setSearch(event.currentTarget.value)}
        placeholder="Search by name or key"
        type="search"
        value={search}
      />
      <List
        {...pages}
        empty={
          settled === "" ? (
            <EmptyState action={create} icon={<AgentIcon size={40} />} title="No agents yet">
              Create one: choose a provider, a model and what it should be told.
            </EmptyState>
          ) : (
            <EmptyState icon={<AgentIcon size={40} />} title={`No agent matches “${settled}”`}>
              Try another word, or clear the search.
            </EmptyState>
          )
        }
      >
        {(agents) => (
          <Rows caption="Agents" columns={columns} items={agents} keyOf={({ id }) => id} />
        )}
      </List>
    </Page>
  );
}
