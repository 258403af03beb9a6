import { Button, Divider, Group, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useNavigate, useParams } from "react-router";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { AgentDetailDocument, DeleteAgentDocument } from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { AgentForm } from "./AgentForm";
import { ContextFiles } from "./ContextFiles";
import type { AgentDetail } from "./form";
import { agentName } from "./names";
import { Links } from "./Links";
import { Shares } from "./Shares";

const back = { to: "/agents", label: "Agents" };

export default function AgentPage() {
  const { id = "new" } = useParams();
  return id === "new" ? (
    <Page back={back} title="New agent" width={760}>
      <AgentForm agent={null} onSaved={() => undefined} />
    </Page>
  ) : (
    <StoredAgent id={id} key={id} />
  );
}

function StoredAgent({ id }: { id: string }) {
  const [{ data, error }, execute] = useQuery({ query: AgentDetailDocument, variables: { id } });
  const refresh = () => execute({ requestPolicy: "network-only" });
  const agent = data?.agent;

  if (!agent) {
    return (
      <Page back={back} title="Agent" width={760}>
        {error ? <ProblemNotice onRetry={refresh} problem={problemOf(error)} /> : <Loading />}
      </Page>
    );
  }
  return (
    <Page
      actions={
        <Button component={Link} state={{ agentId: agent.id }} to="/chat" variant="default">
          Chat
        </Button>
      }
      back={back}
      lead={agent.mayEdit ? `Owned by ${agent.ownerId}` : `Owned by ${agent.ownerId}; you may use it, not change it.`}
      title={agentName(agent)}
      width={760}
    >
      <AgentForm agent={agent} key={agent.updatedAt} onSaved={refresh} />
      {agent.mayEdit && (
        <>
          <Divider />
          <ContextFiles agent={agent} onChanged={refresh} />
          <Divider />
          <Links agentId={agent.id} />
          <Divider />
          <Shares agent={agent} onChanged={refresh} />
          <Divider />
          <Removal agent={agent} />
        </>
      )}
    </Page>
  );
}

function Removal({ agent }: { agent: AgentDetail }) {
  const navigate = useNavigate();
  const remove = useAction(DeleteAgentDocument);
  const [asking, asker] = useDisclosure(false);
  return (
    <Stack gap="xs">
      <Title order={2}>Delete</Title>
      <Group justify="space-between">
        <Text c="dimmed" flex="1 1 260px" size="sm">
          Nobody can chat with it afterwards. Its chats and traces stay readable.
        </Text>
        <Button color="red" onClick={asker.open} variant="light">
          Delete agent
        </Button>
      </Group>
      <Confirm
        label="Delete agent"
        onClose={asker.close}
        onConfirm={async () => {
          const { problem } = await remove.run({ id: agent.id });
          if (!problem) void navigate("/agents");
          return problem;
        }}
        opened={asking}
        title={`Delete ${agentName(agent)}?`}
      >
        Clients that name <b>{agent.key}</b> will be refused from now on.
      </Confirm>
    </Stack>
  );
}
