import { Badge, Group, Text } from "@mantine/core";
import { useSeesAll, useSigned } from "../api/context";
import { type WebSessionItemFragment, WebSessionsDocument, type WebSessionsQuery } from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { UserIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { browserName } from "./browsers";
import { EndOthers } from "./EndOthers";
import { EndSession } from "./EndSession";

const pick = (data: WebSessionsQuery) => data.webSessions;
const variables = { first: 50 };

const userColumn: Column<WebSessionItemFragment> = {
  label: "User",
  render: ({ userId }) => userId ?? "no user",
};
const columns: Column<WebSessionItemFragment>[] = [
  {
    label: "Browser",
    render: (session) => (
      <Group gap="xs">
        <Text fw={600} size="sm" title={session.userAgent ?? undefined}>
          {browserName(session.userAgent)}
        </Text>
        <Here session={session} />
      </Group>
    ),
  },
  { label: "With", render: ({ keyId }) => (keyId === null ? "gateway token" : "API key") },
  { label: "Signed in", render: ({ createdAt }) => <Age at={createdAt} /> },
  {
    label: "Last used",
    render: ({ lastSeenAt, address }) => (
      <>
        <Age at={lastSeenAt} />
        {address !== null && (
          <Text c="dimmed" size="xs">
            from {address}
          </Text>
        )}
      </>
    ),
  },
  { label: "Ends", render: ({ expiresAt }) => <Age at={expiresAt} />, wideOnly: true },
];

function Here({ session }: { session: WebSessionItemFragment }) {
  return session.id === useSigned().me.sessionId ? <Badge>This browser</Badge> : null;
}

export default function SessionsPage() {
  const { me } = useSigned();
  const seesAll = useSeesAll();
  const pages = usePages(WebSessionsDocument, variables, pick);
  useRefreshOn(["web_session"], pages.refresh);
  const others = pages.items.filter(({ id, userId }) => id !== me.sessionId && userId === me.userId);
  return (
    <Page
      actions={others.length > 0 && <EndOthers onEnded={pages.refresh} />}
      lead={
        seesAll
          ? "Where anybody is signed in to this page."
          : "Where you are signed in to this page. If you do not know one, end it and replace the key it was opened with."
      }
      title={seesAll ? "Signed-in browsers" : "My sessions"}
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
            actions={(session) => <EndSession onEnded={pages.refresh} session={session} />}
            caption="Signed-in browsers"
            columns={seesAll ? [...columns.slice(0, 1), userColumn, ...columns.slice(1)] : columns}
            items={sessions}
            keyOf={({ id }) => id}
          />
        )}
      </List>
    </Page>
  );
}
