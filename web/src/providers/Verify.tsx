import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { ModelInput } from "../agents/ModelInput";
import type { Problem } from "../api/errors";
import { VerifyProviderDocument, type VerifyProviderMutation } from "../gql/graphql";
import { formatDuration } from "../kit/format";
import { AlertIcon, CheckIcon } from "../kit/icons";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";

type Verification = VerifyProviderMutation["verifyProvider"];

/** Asks a provider's model for one word, to see that key, address and model belong together. */
export function Verify({ providerId }: { providerId: string }) {
  const verify = useAction(VerifyProviderDocument);
  const [model, setModel] = useState("");
  const [result, setResult] = useState<Verification | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const submit = async () => {
    setResult(null);
    const outcome = await verify.run({ id: providerId, model: model.trim() });
    setProblem(outcome.problem);
    setResult(outcome.data?.verifyProvider ?? null);
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack gap="sm">
        <Title order={2}>Verify</Title>
        <Text c="dimmed" size="sm">
          Sends one short request, to see that address, key and model work together.
        </Text>
        <ModelInput onChange={setModel} providerId={providerId} value={model} />
        <Group>
          <Button disabled={model.trim() === ""} loading={verify.busy} type="submit" variant="light">
            Verify
          </Button>
        </Group>
        <div aria-live="polite">
          {result && <Outcome result={result} />}
          {problem && <ProblemNotice problem={problem} />}
        </div>
      </Stack>
    </form>
  );
}

function Outcome({ result }: { result: Verification }) {
  if (result.valid) {
    return (
      <Alert color="teal" icon={<CheckIcon />} title="It works">
        The model answered after {formatDuration(result.latencyMs)}.
      </Alert>
    );
  }
  return (
    <Alert color="red" icon={<AlertIcon />} title="It does not work">
      <Text size="sm">{result.error ?? "The provider gave no reason."}</Text>
      <Text size="sm">Check the key, the address and the model's name, then verify again.</Text>
    </Alert>
  );
}
