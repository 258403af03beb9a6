import { Alert, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { createApi } from "../api/client";
import type { Credential } from "../api/credential";
import { type Problem, problemOf } from "../api/errors";
import { WhoAmIDocument } from "../gql/graphql";
import { useDocumentTitle } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { Logo } from "../shell/Logo";

interface Props {
  /** The credential in use was refused a moment ago. */
  expired: boolean;
  onCredential: (credential: Credential) => void;
}

export function SignIn({ expired, onCredential }: Props) {
  useDocumentTitle("Sign in");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { token: "", userId: "" },
    validate: { token: (value) => (value.trim() === "" ? "Enter the gateway token or an API key" : null) },
  });

  const submit = async (values: Credential) => {
    const credential = { token: values.token.trim(), userId: values.userId.trim() };
    setBusy(true);
    const failure = await tryOut(credential);
    setBusy(false);
    setProblem(failure);
    if (!failure) onCredential(credential);
  };

  return (
    <Center component="main" mih="100vh" p="md">
      <Paper maw={420} p="xl" radius="lg" shadow="sm" w="100%" withBorder>
        <form onSubmit={form.onSubmit((values) => void submit(values))}>
          <Stack>
            <Group gap="sm">
              <Logo size={34} />
              <Title order={1}>Sign in to GoClaw</Title>
            </Group>
            {expired && !problem && (
              <Alert color="blue" title="You were signed out">
                The key has expired or was revoked. Sign in again.
              </Alert>
            )}
            <PasswordInput
              autoComplete="current-password"
              autoFocus
              description="What GOCLAW_GATEWAY_TOKEN was set to, or a key made under API keys."
              label="Gateway token or API key"
              required
              withAsterisk={false}
              {...form.getInputProps("token")}
            />
            <TextInput
              autoComplete="username"
              description="Whose chats to see. Leave it empty when your key belongs to a user."
              label="User id (optional)"
              {...form.getInputProps("userId")}
            />
            {problem && <ProblemNotice problem={problem} />}
            <Button fullWidth loading={busy} type="submit">
              Sign in
            </Button>
            <Text c="dimmed" size="xs">
              Kept in this tab only, until you close it or sign out.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

async function tryOut(credential: Credential): Promise<Problem | null> {
  const { client } = createApi(credential, () => undefined);
  const { error } = await client.query(WhoAmIDocument, {}).toPromise();
  return error ? problemOf(error) : null;
}
