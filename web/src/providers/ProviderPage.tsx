import { Alert, Button, Divider, Group, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate, useParams } from "react-router";
import { useQuery } from "urql";
import { useMay } from "../api/context";
import { problemOf } from "../api/errors";
import { DeleteProviderDocument, ProviderDetailDocument, type ProviderItemFragment } from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { typeNames } from "./names";
import { ProviderForm } from "./ProviderForm";
import { SourceBadge } from "./ProvidersPage";
import { Verify } from "./Verify";

const back = { to: "/providers", label: "Providers" };

export default function ProviderPage() {
  const { id = "new" } = useParams();
  return id === "new" ? (
    <Page back={back} title="Add a provider" width={640}>
      <ProviderForm onSaved={() => undefined} provider={null} />
    </Page>
  ) : (
    <StoredProvider id={id} key={id} />
  );
}

function StoredProvider({ id }: { id: string }) {
  const mayWrite = useMay("WRITE");
  const [{ data, error }, execute] = useQuery({ query: ProviderDetailDocument, variables: { id } });
  const refresh = () => execute({ requestPolicy: "network-only" });
  const provider = data?.provider;

  if (!provider) {
    return (
      <Page back={back} title="Provider" width={640}>
        {error ? <ProblemNotice onRetry={refresh} problem={problemOf(error)} /> : <Loading />}
      </Page>
    );
  }
  const changeable = provider.source === "API" && mayWrite;
  return (
    <Page
      back={back}
      lead={
        <Group gap="xs">
          {typeNames[provider.providerType]} <SourceBadge source={provider.source} />
        </Group>
      }
      title={provider.displayName ?? provider.name}
      width={640}
    >
      <Origin provider={provider} />
      {provider.source === "API" && (
        <ProviderForm key={provider.updatedAt} onSaved={refresh} provider={provider} />
      )}
      {mayWrite && (
        <>
          <Divider />
          <Verify providerId={provider.id} />
        </>
      )}
      {changeable && (
        <>
          <Divider />
          <Removal provider={provider} />
        </>
      )}
    </Page>
  );
}

/** Why a provider that was not made here cannot be changed here. */
function Origin({ provider }: { provider: ProviderItemFragment }) {
  if (provider.source === "EMBEDDED") {
    return (
      <Alert color="gray" title="A small model inside the gateway">
        It answers without any key or network, so that you can try everything at once: it chats, streams and
        remembers the conversation. It knows little, is often wrong, and calls no tools, so its agents are
        offered none: add a provider for real work. It cannot be changed here.
      </Alert>
    );
  }
  if (provider.source === "ENVIRONMENT") {
    return (
      <Alert color="blue" title="From the server's environment">
        Its key comes from an environment variable, so it cannot be changed here. Change the variable where the
        server is started, then restart it.
        {provider.apiBase !== null && (
          <Text mt={4} size="sm">
            Address: {provider.apiBase}
          </Text>
        )}
      </Alert>
    );
  }
  return null;
}

function Removal({ provider }: { provider: ProviderItemFragment }) {
  const navigate = useNavigate();
  const remove = useAction(DeleteProviderDocument);
  const [asking, asker] = useDisclosure(false);
  return (
    <Stack gap="xs">
      <Title order={2}>Delete</Title>
      <Group justify="space-between">
        <Text c="dimmed" flex="1 1 260px" size="sm">
          Possible once no agent uses it. Its key is forgotten.
        </Text>
        <Button color="red" onClick={asker.open} variant="light">
          Delete provider
        </Button>
      </Group>
      <Confirm
        label="Delete provider"
        onClose={asker.close}
        onConfirm={async () => {
          const { problem } = await remove.run({ id: provider.id });
          if (!problem) void navigate("/providers");
          return problem;
        }}
        opened={asking}
        title={`Delete ${provider.displayName ?? provider.name}?`}
      >
        The stored API key is deleted too. You will need it again to add the provider anew.
      </Confirm>
    </Stack>
  );
}
