import { Button, Group, Select, Stack } from "@mantine/core";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { type ApiKeyItemFragment, RotateApiKeyDocument } from "../gql/graphql";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { useNow } from "../kit/useNow";
import { Consequences } from "./Consequences";
import { SecretModal } from "./SecretModal";
import { graceChoices, rotation } from "./state";

interface Props {
  apiKey: ApiKeyItemFragment;
  opened: boolean;
  onClose: () => void;
  onRotated: () => void;
}

export function RotateKey({ apiKey, opened, onClose, onRotated }: Props) {
  return (
    <SecretModal onClose={onClose} opened={opened} title={`Rotate ${apiKey.name}?`}>
      {(onSecret) => (
        <RotateForm
          apiKey={apiKey}
          onRotated={(secret) => {
            onSecret(secret);
            onRotated();
          }}
        />
      )}
    </SecretModal>
  );
}

function RotateForm({ apiKey, onRotated }: { apiKey: ApiKeyItemFragment; onRotated: (secret: string) => void }) {
  const rotate = useAction(RotateApiKeyDocument);
  const [grace, setGrace] = useState("86400");
  const [problem, setProblem] = useState<Problem | null>(null);
  const now = useNow();

  const submit = async () => {
    const outcome = await rotate.run({ id: apiKey.id, graceS: Number(grace) });
    setProblem(outcome.problem);
    if (outcome.data) onRotated(outcome.data.rotateApiKey.secret);
  };
  return (
    <Stack>
      <Select
        allowDeselect={false}
        data={graceChoices}
        data-autofocus
        description="Time to put the new secret in place."
        label="The old secret goes on working"
        onChange={(value) => setGrace(value ?? "0")}
        value={grace}
      />
      <Consequences lines={rotation(apiKey, Number(grace), now)} />
      {problem && <ProblemNotice problem={problem} />}
      <Group justify="flex-end">
        <Button loading={rotate.busy} onClick={() => void submit()}>
          Rotate key
        </Button>
      </Group>
    </Stack>
  );
}
