import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { Link } from "react-router";
import { useMay } from "../api/context";
import { type ProviderItemFragment, ProvidersDocument, type ProvidersQuery } from "../gql/graphql";
import { EmptyState } from "../kit/EmptyState";
import { ProviderIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { sourceNames, typeNames } from "./names";

const pick = (data: ProvidersQuery) => data.providers;
const variables = { first: 50 };

const columns: Column<ProviderItemFragment>[] = [
  {
    label: "Provider",
    render: (provider) => (
      <>
        <Anchor component={Link} fw={600} to={`/providers/${provider.id}`}>
          {provider.displayName ?? provider.name}
        </Anchor>
        {provider.displayName !== null && (
          <Text c="dimmed" size="xs">
            {provider.name}
          </Text>
        )}
      </>
    ),
  },
  { label: "Type", render: ({ providerType }) => <Text size="sm">{typeNames[providerType]}</Text> },
  { label: "Source", render: ({ source }) => <SourceBadge source={source} /> },
  {
    label: "State",
    render: (provider) => (
      <Group display="inline-flex" gap={6}>
        <Badge color={provider.enabled ? "claw" : "gray"}>{provider.enabled ? "Enabled" : "Disabled"}</Badge>
        {needsKey(provider) && <Badge color="red">No key</Badge>}
      </Group>
    ),
  },
];

export default function ProvidersPage() {
  const mayWrite = useMay("WRITE");
  const pages = usePages(ProvidersDocument, variables, pick);
  useRefreshOn(["provider"], pages.refresh);
  const add = mayWrite && (
    <Button component={Link} to="/providers/new">
      Add provider
    </Button>
  );
  return (
    <Page actions={add} lead="Who runs the models your agents speak with." title="Providers">
      <List
        {...pages}
        empty={
          <EmptyState action={add} icon={<ProviderIcon size={40} />} title="No providers yet">
            Add one with an API key from OpenAI, Anthropic, Google or another vendor, or start the server
            with a key such as OPENAI_API_KEY in its environment.
          </EmptyState>
        }
      >
        {(providers) => (
          <Rows caption="Providers" columns={columns} items={providers} keyOf={({ id }) => id} />
        )}
      </List>
    </Page>
  );
}

export function SourceBadge({ source }: { source: ProviderItemFragment["source"] }) {
  const color = source === "API" ? "claw" : source === "ENVIRONMENT" ? "blue" : "gray";
  return <Badge color={color}>{sourceNames[source]}</Badge>;
}

function needsKey({ hasApiKey, providerType }: ProviderItemFragment): boolean {
  return !hasApiKey && providerType !== "OLLAMA" && providerType !== "LOCAL";
}
