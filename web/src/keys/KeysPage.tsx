import { Badge, Button, Code, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { useMay, useSigned } from "../api/context";
import {
  type ApiKeyItemFragment,
  ApiKeysDocument,
  type ApiKeysQuery,
  RevokeApiKeyDocument,
} from "../gql/graphql";
import { Age } from "../kit/Age";
import { Confirm } from "../kit/Confirm";
import { CopyLine } from "../kit/Copy";
import { EmptyState } from "../kit/EmptyState";
import { formatDateTime } from "../kit/format";
import { KeyIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { useAction } from "../kit/useAction";
import { useNow } from "../kit/useNow";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { CreateKey } from "./CreateKey";
import { scopeNames } from "./scopes";

const pick = (data: ApiKeysQuery) => data.apiKeys;
const variables = { first: 50 };

export default function KeysPage() {
  const { me } = useSigned();
  const isAdmin = useMay("ADMIN");
  if (isAdmin) return <Keys />;
  return (
    <Page title="API keys" width={760}>
      {me.authentication === "OPEN" ? <MadeByCommand /> : <NotAllowed />}
    </Page>
  );
}

/** Without a configured token nobody is administrator over the network. */
function MadeByCommand() {
  return (
    <EmptyState
      action={<CopyLine text="goclaw keys create my-key --scope operator.write" />}
      icon={<KeyIcon size={40} />}
      title="Make keys on the machine itself"
    >
      This gateway runs without a token, so nobody on the network may make keys. Whoever may use its machine
      can, with the command below. To manage keys on this page, start the gateway with GOCLAW_GATEWAY_TOKEN
      set and sign in with that token.
    </EmptyState>
  );
}

function NotAllowed() {
  return (
    <EmptyState icon={<KeyIcon size={40} />} title="Keys are for administrators">
      Sign in with the gateway token or an administrator key to make and revoke keys.
    </EmptyState>
  );
}

const columns: Column<ApiKeyItemFragment>[] = [
  {
    label: "Key",
    render: (key) => (
      <>
        <Text fw={600} size="sm">
          {key.name}
        </Text>
        <Code>{key.prefix}…</Code>
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
  { label: "Belongs to", render: ({ userId }) => userId ?? "any user" },
  { label: "Last used", render: ({ lastUsedAt }) => (lastUsedAt === null ? "never" : <Age at={lastUsedAt} />) },
  { label: "State", render: (key) => <State apiKey={key} /> },
];

function State({ apiKey: { revoked, expiresAt } }: { apiKey: ApiKeyItemFragment }) {
  const now = useNow();
  if (revoked) return <Badge color="gray">Revoked</Badge>;
  if (expiresAt === null) return <Badge color="claw">Works</Badge>;
  if (Date.parse(expiresAt) <= now) return <Badge color="gray">Expired</Badge>;
  return (
    <Text size="sm" title={formatDateTime(expiresAt)}>
      Expires <Age at={expiresAt} />
    </Text>
  );
}

function Keys() {
  const pages = usePages(ApiKeysDocument, variables, pick);
  const [creating, creator] = useDisclosure(false);
  useRefreshOn(["api_key", "apikey"], pages.refresh);
  const create = <Button onClick={creator.open}>New key</Button>;

  return (
    <Page
      actions={create}
      lead="For programs and people that call this gateway. A key is shown once, when it is made."
      title="API keys"
    >
      <List
        {...pages}
        empty={
          <EmptyState action={create} icon={<KeyIcon size={40} />} title="No keys yet">
            Make one for each program, so that you can revoke it without disturbing the others.
          </EmptyState>
        }
      >
        {(keys) => (
          <Rows
            actions={(key) => <Revoke apiKey={key} onRevoked={pages.refresh} />}
            caption="API keys"
            columns={columns}
            items={keys}
            keyOf={({ id }) => id}
          />
        )}
      </List>
      <CreateKey onClose={creator.close} onCreated={pages.refresh} opened={creating} />
    </Page>
  );
}

interface RevokeProps {
  apiKey: ApiKeyItemFragment;
  onRevoked: () => void;
}

function Revoke({ apiKey, onRevoked }: RevokeProps) {
  const revoke = useAction(RevokeApiKeyDocument);
  const [asking, setAsking] = useState(false);
  if (apiKey.revoked) return null;
  return (
    <>
      <Button
        aria-label={`Revoke ${apiKey.name}`}
        color="red"
        onClick={() => setAsking(true)}
        size="compact-sm"
        variant="subtle"
      >
        Revoke
      </Button>
      <Confirm
        label="Revoke key"
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const { problem } = await revoke.run({ id: apiKey.id });
          if (!problem) onRevoked();
          return problem;
        }}
        opened={asking}
        title={`Revoke ${apiKey.name}?`}
      >
        Whatever uses this key is refused at once and its open connections are closed. It cannot be undone; you
        would have to make a new key and hand it out.
      </Confirm>
    </>
  );
}
