import { Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { useMay, useSigned } from "../api/context";
import {
  EndWebSessionDocument,
  type WebSessionItemFragment,
  WebSessionsDocument,
  type WebSessionsQuery,
} from "../gql/graphql";
import { Age } from "../kit/Age";
import { Confirm } from "../kit/Confirm";
import { EmptyState } from "../kit/EmptyState";
import { UserIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { useAction } from "../kit/useAction";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { browserName } from "./browsers";

const pick = (data: WebSessionsQuery) => data.webSessions;
const variables = { first: 50 };

const columns: Column<WebSessionItemFragment>[] = [
  {
    label: "Browser",
    render: (session) => (
      <>
        <Group gap="xs">
          <Text fw={600} size="sm" title={session.userAgent ?? undefined}>
            {browserName(session.userAgent)}
          </Text>
          <Here session={session} />
        </Group>
        <Text c="dimmed" size="xs">
          {session.address ?? "unknown address"}
        </Text>
      </>
    ),
  },
  { label: "User", render: ({ userId }) => userId ?? "no user" },
  { label: "With", render: ({ keyId }) => (keyId === null ? "Gateway token" : "API key"), wideOnly: true },
  { label: "Signed in", render: ({ createdAt }) => <Age at={createdAt} />, wideOnly: true },
  { label: "Last used", render: ({ lastSeenAt }) => <Age at={lastSeenAt} /> },
];

function Here({ session }: { session: WebSessionItemFragment }) {
  return session.id === useSigned().me.sessionId ? <Badge>This browser</Badge> : null;
}

export default function SessionsPage() {
  const pages = usePages(WebSessionsDocument, variables, pick);
  useRefreshOn(["web_session"], pages.refresh);
  return (
    <Page
      lead="Where you are signed in to this page. End what you do not know, then replace the key that was used."
      title="Signed-in browsers"
    >
      <List
        {...pages}
        empty={
          <EmptyState icon={<UserIcon size={40} />} title="Nobody is signed in">
            Browsers appear here when somebody signs in with a token or key.
          </EmptyState>
        }
      >
        {(sessions) => (
          <Rows
            actions={(session) => <End onEnded={pages.refresh} session={session} />}
            caption="Signed-in browsers"
            columns={columns}
            items={sessions}
            keyOf={({ id }) => id}
          />
        )}
      </List>
    </Page>
  );
}

function End({ session, onEnded }: { session: WebSessionItemFragment; onEnded: () => void }) {
  const { me, signOut } = useSigned();
  const end = useAction(EndWebSessionDocument);
  const [asking, setAsking] = useState(false);
  const may = useMay("WRITE");
  if (session.id === me.sessionId) {
    return (
      <Button onClick={signOut} size="compact-sm" variant="subtle">
        Sign out
      </Button>
    );
  }
  if (!may) return null;
  const name = browserName(session.userAgent);
  return (
    <>
      <Button
        aria-label={`End the session of ${name}`}
        color="red"
        onClick={() => setAsking(true)}
        size="compact-sm"
        variant="subtle"
      >
        End
      </Button>
      <Confirm
        label="End session"
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const { problem } = await end.run({ id: session.id });
          if (!problem) onEnded();
          return problem;
        }}
        opened={asking}
        title={`Sign ${name} out?`}
      >
        It is signed out within a second. Whoever has the token or key can sign in again.
      </Confirm>
    </>
  );
}
