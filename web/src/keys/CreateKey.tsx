import {
  Alert,
  Button,
  Checkbox,
  Code,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { CreateApiKeyDocument, type Scope } from "../gql/graphql";
import { CopySecret } from "../kit/Copy";
import { orNull, placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { scopeChoices, scopeNames } from "./scopes";

interface Props {
  opened: boolean;
  onClose: () => void;
  onCreated: () => void;
}

export function CreateKey({ opened, onClose, onCreated }: Props) {
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => {
    setSecret(null);
    onClose();
  };
  return (
    <Modal
      closeOnClickOutside={secret === null}
      closeOnEscape={secret === null}
      onClose={close}
      opened={opened}
      size="lg"
      title={<Text fw={600}>{secret === null ? "New key" : "Copy your new key"}</Text>}
      withCloseButton={secret === null}
    >
      {secret === null ? (
        <KeyForm
          onCreated={(made) => {
            setSecret(made);
            onCreated();
          }}
        />
      ) : (
        <ShowOnce onDone={close} secret={secret} />
      )}
    </Modal>
  );
}

function ShowOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <Stack>
      <Alert color="blue" title="This is the only time it is shown">
        Put it where the program that uses it keeps its secrets. If it is lost, revoke it and make another.
      </Alert>
      <Code aria-label="The new key" block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {secret}
      </Code>
      <Group justify="space-between">
        <CopySecret label="Copy key" text={secret} />
        <Button onClick={onDone} variant="default">
          I have stored it
        </Button>
      </Group>
    </Stack>
  );
}

const day = 86_400;
const lifetimes = [
  { value: String(day), label: "One day" },
  { value: String(30 * day), label: "30 days" },
  { value: String(90 * day), label: "90 days" },
  { value: String(365 * day), label: "One year" },
  { value: "", label: "Never" },
];

interface KeyValues {
  name: string;
  scopes: Scope[];
  expiresInS: string | null;
  userId: string;
}

function KeyForm({ onCreated }: { onCreated: (secret: string) => void }) {
  const create = useAction(CreateApiKeyDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useForm<KeyValues>({
    initialValues: { name: "", scopes: ["WRITE"], expiresInS: String(90 * day), userId: "" },
    validate: {
      name: (value) => (orNull(value) ? null : "Say what the key is for"),
      scopes: (value) => (value.length > 0 ? null : "Choose at least one"),
    },
  });

  const submit = async () => {
    const { name, scopes, expiresInS, userId } = form.values;
    const outcome = await create.run({
      name: name.trim(),
      scopes,
      expiresInS: expiresInS ? Number(expiresInS) : null,
      userId: orNull(userId),
    });
    setProblem(placeProblem(form, outcome.problem));
    if (outcome.data) onCreated(outcome.data.createApiKey.secret);
  };

  return (
    <form onSubmit={form.onSubmit(() => void submit())}>
      <Stack>
        <TextInput
          data-autofocus
          label="Name"
          maxLength={100}
          placeholder="What it is for, such as nightly report"
          required
          {...form.getInputProps("name")}
        />
        <Checkbox.Group label="What it may do" {...form.getInputProps("scopes")}>
          <Stack gap="xs" mt="xs">
            {scopeChoices.map(({ scope, meaning }) => (
              <Checkbox description={meaning} key={scope} label={scopeNames[scope]} value={scope} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Group align="flex-start" grow preventGrowOverflow={false}>
          <Select
            allowDeselect={false}
            data={lifetimes}
            description="It stops working after that."
            label="Expires"
            {...form.getInputProps("expiresInS")}
          />
          <TextInput
            description="If set, the key acts as this user only."
            label="User id (optional)"
            {...form.getInputProps("userId")}
          />
        </Group>
        {problem && <ProblemNotice problem={problem} />}
        <Group justify="flex-end">
          <Button loading={create.busy} type="submit">
            Create key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
