import { Alert, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { signIn } from "../api/session";
import { useDocumentTitle } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { Logo } from "../shell/Logo";

interface Props {
  /** The session in use ended a moment ago. */
  expired: boolean;
  onSignedIn: () => void;
}

export function SignIn({ expired, onSignedIn }: Props) {
  useDocumentTitle("Sign in");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { token: "", userId: "" },
    validate: { token: (value) => (value.trim() === "" ? "Enter the gateway token or an API key" : null) },
  });

  const submit = async ({ token, userId }: { token: string; userId: string }) => {
    setBusy(true);
    const failure = await signIn(token.trim(), userId.trim());
    setBusy(false);
    setProblem(failure);
    if (!failure) onSignedIn();
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
                The session was ended, or its key expired or was revoked. Sign in again.
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
              This browser stays signed in until you sign out or leave it unused; the token itself is not kept.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
