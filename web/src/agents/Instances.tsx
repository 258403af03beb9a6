import { Badge, Group, Paper, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import {
  type AgentInstanceItemFragment,
  AgentInstancesDocument,
  type AgentInstancesQuery,
  InstanceFilesDocument,
  SetInstanceFileDocument,
} from "../gql/graphql";
import { Age } from "../kit/Age";
import { List, Loading } from "../kit/List";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { factsIn, usersFile } from "./files";
import { FileRow } from "./FileRow";

const pick = (data: AgentInstancesQuery) => data.agentInstances;

/** The users an agent has met, each with the files there are for them. */
export function Instances({ agentId }: { agentId: string }) {
  const { refresh, ...pages } = usePages(AgentInstancesDocument, { agentId }, pick);
  useRefreshOn(["agent_instance"], refresh);
  return (
    <Stack gap="xs" mt="xs">
      <Title order={3}>Users it has met</Title>
      <List
        {...pages}
        empty={
          <Text c="dimmed" size="sm">
            Nobody yet: a user is met in their first chat.
          </Text>
        }
        refresh={refresh}
      >
        {(items) => (
          <Stack aria-label="Users it has met" component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }}>
            {items.map((instance) => (
              <Instance agentId={agentId} instance={instance} key={instance.id} onChanged={refresh} />
            ))}
          </Stack>
        )}
      </List>
    </Stack>
  );
}

interface Props {
  agentId: string;
  instance: AgentInstanceItemFragment;
  onChanged: () => void;
}

function Instance({ agentId, instance, onChanged }: Props) {
  const [open, setOpen] = useState(false);
  const { userId, firstSeenAt, lastSeenAt, fileCount, metadata } = instance;
  return (
    <Paper aria-label={userId} component="li" withBorder>
      <UnstyledButton
        aria-expanded={open}
        aria-label={`Files of ${userId}`}
        onClick={() => setOpen(!open)}
        p="sm"
        w="100%"
      >
        <Group gap="xs" justify="space-between">
          <Text fw={600} size="sm" style={{ minWidth: 0, overflowWrap: "anywhere" }}>
            {open ? "▾" : "▸"} {userId}
          </Text>
          <Text c="dimmed" size="xs">
            {fileCount} {fileCount === 1 ? "file" : "files"} · met <Age at={firstSeenAt} /> · seen <Age at={lastSeenAt} />
          </Text>
        </Group>
        <Facts metadata={metadata} />
      </UnstyledButton>
      {open && <Files agentId={agentId} instance={instance} onChanged={onChanged} />}
    </Paper>
  );
}

function Facts({ metadata }: { metadata: unknown }) {
  const facts = factsIn(metadata);
  if (facts.length === 0) return null;
  return (
    <Group gap={6} mt={6}>
      {facts.map(([name, value]) => (
        <Badge color="gray" key={name} maw="100%" style={{ minWidth: 0 }}>
          {name}: {value}
        </Badge>
      ))}
    </Group>
  );
}

function Files({ agentId, instance, onChanged }: Props) {
  const [{ data, error }, execute] = useQuery({
    query: InstanceFilesDocument,
    variables: { id: instance.id },
    requestPolicy: "cache-and-network",
  });
  const refresh = () => execute({ requestPolicy: "network-only" });
  useRefreshOn(["agent_instance"], refresh);
  const write = useAction(SetInstanceFileDocument);

  const save = async (content: string) => {
    const { problem } = await write.run({ agentId, userId: instance.userId, content });
    if (!problem) {
      refresh();
      onChanged();
    }
    return problem;
  };

  if (error && !data) return <ProblemNotice onRetry={refresh} problem={problemOf(error)} />;
  if (!data) return <Loading />;
  const files = data.agentInstance.files;
  const others = files.filter(({ name }) => name !== usersFile);
  return (
    <Stack aria-label={`Files of ${instance.userId}`} component="ul" gap="xs" m={0} p="sm" pt={0} style={{ listStyle: "none" }}>
      <FileRow file={files.find(({ name }) => name === usersFile)} name={usersFile} onSave={save} />
      {others.map((file) => (
        <FileRow file={file} key={file.id} name={file.name} />
      ))}
    </Stack>
  );
}
