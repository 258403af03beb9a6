import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { ContextFilesDocument, SetContextFileDocument } from "../gql/graphql";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { useRefreshOn } from "../live/events";
import { FileRow } from "./FileRow";
import { filesOf, unwrittenLabel } from "./files";
import type { AgentDetail } from "./form";
import { Instances } from "./Instances";

const kinds = {
  OPEN: "Each user has files of their own, which the agent writes as they talk. What stands here holds until they have.",
  PREDEFINED: "All users share these; the agent follows them and shows them to nobody. Of each user it keeps a USER.md.",
};

interface Props {
  agent: AgentDetail;
  /** After a file was written: the preview changes with it. */
  onChanged: () => void;
}

export function ContextFiles({ agent, onChanged }: Props) {
  return (
    <Stack gap="sm">
      <Title order={2}>Context files</Title>
      {agent.usesContextFiles ? (
        <>
          <Text c="dimmed" size="sm">
            {kinds[agent.agentType]} A new user is met by BOOTSTRAP.md, if the agent has the tool write_file.
          </Text>
          <OwnFiles agent={agent} onChanged={onChanged} />
          <Instances agentId={agent.id} />
        </>
      ) : (
        <Text c="dimmed" size="sm">
          This agent keeps none: all it is told is its system prompt. Switch them on above to give it a persona in
          files, and have it get to know each user.
        </Text>
      )}
    </Stack>
  );
}

function OwnFiles({ agent, onChanged }: Props) {
  const [{ data, error }, execute] = useQuery({ query: ContextFilesDocument, variables: { agentId: agent.id } });
  const refresh = () => execute({ requestPolicy: "network-only" });
  useRefreshOn(["agent"], refresh);
  const write = useAction(SetContextFileDocument);

  const save = async (name: string, content: string) => {
    const { problem } = await write.run({ agentId: agent.id, name, content });
    if (!problem) {
      refresh();
      onChanged();
    }
    return problem;
  };

  if (error && !data) return <ProblemNotice onRetry={refresh} problem={problemOf(error)} />;
  return (
    <Stack aria-label="Context files" component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }}>
      {filesOf(agent.agentType).map(({ name, what }) => (
        <FileRow
          file={data?.contextFiles.find((file) => file.name === name)}
          key={name}
          name={name}
          onSave={(content) => save(name, content)}
          unwritten={unwrittenLabel(agent.agentType, name)}
          what={what}
        />
      ))}
    </Stack>
  );
}
