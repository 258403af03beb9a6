import { Box, Button, Group, NavLink, ScrollArea, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { agentName } from "../agents/names";
import { SessionsDocument, type SessionItemFragment, type SessionsQuery } from "../gql/graphql";
import { Age } from "../kit/Age";
import { PlusIcon } from "../kit/icons";
import { List } from "../kit/List";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { SessionMenu } from "./SessionMenu";
import { sessionTitle } from "./names";

interface Props {
  current: string | null;
  onChoose: () => void;
  onDeleted: (id: string) => void;
}

const pick = (data: SessionsQuery) => data.sessions;
const variables = { first: 50 };

export function SessionList({ current, onChoose, onDeleted }: Props) {
  const pages = usePages(SessionsDocument, variables, pick);
  useRefreshOn(["session", "run"], pages.refresh);

  return (
    <Stack gap="xs" h="100%" p="xs">
      <Button component={Link} leftSection={<PlusIcon />} onClick={onChoose} to="/chat" variant="light">
        New chat
      </Button>
      <ScrollArea flex={1} mih={0} scrollbars="y" type="auto">
        <List
          {...pages}
          empty={
            <Text c="dimmed" p="sm" size="sm">
              Your chats appear here. Write a message to start the first one.
            </Text>
          }
        >
          {(sessions) => (
            <Stack aria-label="Chats" gap={2} role="list">
              {sessions.map((session) => (
                <SessionRow
                  active={session.id === current}
                  key={session.id}
                  onChanged={pages.refresh}
                  onChoose={onChoose}
                  onDeleted={() => {
                    pages.refresh();
                    onDeleted(session.id);
                  }}
                  session={session}
                />
              ))}
            </Stack>
          )}
        </List>
      </ScrollArea>
    </Stack>
  );
}

interface RowProps {
  session: SessionItemFragment;
  active: boolean;
  onChoose: () => void;
  onChanged: () => void;
  onDeleted: () => void;
}

function SessionRow({ session, active, onChoose, onChanged, onDeleted }: RowProps) {
  const channel = session.channel === "web" ? "" : ` · ${session.channel}`;
  return (
    <Group gap={2} role="listitem" wrap="nowrap">
      <Box flex={1} miw={0}>
        <NavLink
          active={active}
          aria-current={active ? "page" : undefined}
          component={Link}
          description={
            <>
              {agentName(session.agent)}
              {channel} · <Age at={session.updatedAt} />
            </>
          }
          label={sessionTitle(session)}
          onClick={onChoose}
          px="sm"
          py={6}
          style={{ borderRadius: "var(--mantine-radius-md)" }}
          styles={{ label: { display: "block", overflow: "hidden", textOverflow: "ellipsis" } }}
          noWrap
          to={`/chat/${session.id}`}
        />
      </Box>
      <SessionMenu onChanged={onChanged} onDeleted={onDeleted} session={session} />
    </Group>
  );
}
