import { Button, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ApiKeyItemFragment, ApiKeysDocument, type ApiKeysQuery } from "../gql/graphql";
import { AdminsOnly } from "../kit/AdminsOnly";
import { EmptyState } from "../kit/EmptyState";
import { KeyIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { Rows } from "../kit/Rows";
import { useNow } from "../kit/useNow";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { CreateKey } from "./CreateKey";
import { columns } from "./columns";
import { RevokeKey } from "./RevokeKey";
import { RotateKey } from "./RotateKey";
import { stateOf } from "./state";

const pick = (data: ApiKeysQuery) => data.apiKeys;
const variables = { first: 50 };

export default function KeysPage() {
  return (
    <AdminsOnly
      command="goclaw keys create my-key --scope operator.write"
      icon={<KeyIcon size={40} />}
      title="API keys"
      what="make and revoke keys"
    >
      <Keys />
    </AdminsOnly>
  );
}

function Keys() {
  const pages = usePages(ApiKeysDocument, variables, pick);
  const [creating, creator] = useDisclosure(false);
  useRefreshOn(["api_key"], pages.refresh);
  const create = <Button onClick={creator.open}>New key</Button>;

  return (
    <Page
      actions={create}
      lead="For programs and people that call this gateway. A secret is shown once, when it is made."
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
            actions={(key) => <KeyMenu apiKey={key} onChanged={pages.refresh} />}
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

function KeyMenu({ apiKey, onChanged }: { apiKey: ApiKeyItemFragment; onChanged: () => void }) {
  const [rotating, rotator] = useDisclosure(false);
  const [revoking, revoker] = useDisclosure(false);
  const state = stateOf(apiKey, useNow());
  if (state === "revoked") return null;
  return (
    <Group display="inline-flex" gap={4} wrap="nowrap">
      {state === "works" && (
        <Button aria-label={`Rotate ${apiKey.name}`} onClick={rotator.open} size="compact-sm" variant="subtle">
          Rotate
        </Button>
      )}
      <Button
        aria-label={`Revoke ${apiKey.name}`}
        color="red"
        onClick={revoker.open}
        size="compact-sm"
        variant="subtle"
      >
        Revoke
      </Button>
      <RotateKey apiKey={apiKey} onClose={rotator.close} onRotated={onChanged} opened={rotating} />
      <RevokeKey apiKey={apiKey} onClose={revoker.close} onRevoked={onChanged} opened={revoking} />
    </Group>
  );
}
