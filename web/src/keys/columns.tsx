import { Badge, Code, Group, Text } from "@mantine/core";
import type { ApiKeyItemFragment } from "../gql/graphql";
import { Age } from "../kit/Age";
import { formatCount } from "../kit/format";
import type { Column } from "../kit/Rows";
import { useNow } from "../kit/useNow";
import { scopeNames } from "./scopes";
import { agentsOf, graceOf, stateOf } from "./state";
import { useAgentNames } from "./useAgentNames";

interface CellProps {
  apiKey: ApiKeyItemFragment;
}

export const columns: Column<ApiKeyItemFragment>[] = [
  {
    label: "Key",
    render: (key) => (
      <>
        <Text fw={600} size="sm">
          {key.name}
        </Text>
        <Code>{key.prefix}…</Code>
        <Text c="dimmed" mt={2} size="xs">
          made <Age at={key.createdAt} /> by {key.createdBy}
        </Text>
      </>
    ),
  },
  {
    label: "May",
    render: ({ scopes }) => (
      <Group display="inline-flex" gap={4}>
        {scopes.map((scope) => (
          <Badge color={scope === "ADMIN" ? "red" : "claw"} key={scope}>
            {scopeNames[scope]}
          </Badge>
        ))}
      </Group>
    ),
  },
  { label: "Bound to", render: (key) => <Bounds apiKey={key} /> },
  { label: "Used", render: (key) => <Use apiKey={key} /> },
  { label: "State", render: (key) => <State apiKey={key} /> },
];

function Bounds({ apiKey }: CellProps) {
  const agents = agentsOf(apiKey, useAgentNames());
  return (
    <>
      <Text size="sm">{apiKey.userId ?? "any user"}</Text>
      <Text c="dimmed" lineClamp={2} size="xs" {...(agents !== null && { title: agents })}>
        {agents ?? "all agents"}
      </Text>
      {apiKey.rateLimitPerMinute !== null && (
        <Text c="dimmed" size="xs">
          {formatCount(apiKey.rateLimitPerMinute)} calls a minute
        </Text>
      )}
    </>
  );
}

function Use({ apiKey: { lastUsedAt, lastUsedAddress, callsToday } }: CellProps) {
  if (lastUsedAt === null) return "never";
  return (
    <>
      <Text size="sm">
        <Age at={lastUsedAt} />
      </Text>
      {lastUsedAddress !== null && (
        <Text c="dimmed" size="xs">
          from {lastUsedAddress}
        </Text>
      )}
      <Text c="dimmed" size="xs">
        {callsToday === 1 ? "1 call today" : `${formatCount(callsToday)} calls today`}
      </Text>
    </>
  );
}

function State({ apiKey }: CellProps) {
  const now = useNow();
  const state = stateOf(apiKey, now);
  if (state === "revoked") return <Badge color="gray">Revoked</Badge>;
  if (state === "expired") return <Badge color="gray">Expired</Badge>;
  const grace = graceOf(apiKey, now);
  return (
    <>
      <Badge color="claw">Works</Badge>
      <Text c="dimmed" size="xs">
        {apiKey.expiresAt === null ? "never expires" : <>expires <Age at={apiKey.expiresAt} /></>}
      </Text>
      {grace !== null && (
        <Text c="dimmed" size="xs">
          old secret ends <Age at={grace} />
        </Text>
      )}
    </>
  );
}
