import { Button, Fieldset, Group, PasswordInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useMay } from "../api/context";
import type { Problem } from "../api/errors";
import { CreateProviderDocument, type ProviderItemFragment, UpdateProviderDocument } from "../gql/graphql";
import { placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { createInput, defaultBase, typeChoices, updateInput, validation, valuesOf } from "./form";

interface Props {
  /** Null for a new one. */
  provider: ProviderItemFragment | null;
  onSaved: () => void;
}

export function ProviderForm({ provider, onSaved }: Props) {
  const navigate = useNavigate();
  const mayWrite = useMay("WRITE");
  const form = useForm({ initialValues: valuesOf(provider), validate: validation });
  const create = useAction(CreateProviderDocument);
  const update = useAction(UpdateProviderDocument);
  const [problem, setProblem] = useState<Problem | null>(null);

  const submit = async () => {
    const { problem: failure, id } = provider
      ? await save(provider)
      : await create.run(createInput(form.values)).then(({ data, problem }) => ({
          problem,
          id: data?.createProvider.id,
        }));
    setProblem(placeProblem(form, failure));
    if (failure) return;
    notifications.show({ message: provider ? "Provider saved" : "Provider added. Verify it now." });
    onSaved();
    if (!provider && id !== undefined) void navigate(`/providers/${id}`);
  };
  const save = async (stored: ProviderItemFragment) => {
    const { problem } = await update.run(updateInput(stored, form.values));
    return { problem, id: stored.id };
  };

  return (
    <form onSubmit={form.onSubmit(() => void submit())}>
      <Fieldset disabled={!mayWrite} p={0} variant="unstyled">
        <Stack>
          <Select
            allowDeselect={false}
            data={typeChoices}
            disabled={provider !== null}
            label="Type"
            {...form.getInputProps("providerType")}
          />
          <Group align="flex-start" grow preventGrowOverflow={false}>
            <TextInput
              description="Short and unique."
              label="Name"
              placeholder="openai"
              required
              {...form.getInputProps("name")}
            />
            <TextInput
              description="What people see; the name if empty."
              label="Display name"
              {...form.getInputProps("displayName")}
            />
          </Group>
          <TextInput
            description="Leave it empty for the vendor's own."
            label="Address"
            placeholder={defaultBase(form.values.providerType)}
            type="url"
            {...form.getInputProps("apiBase")}
          />
          <PasswordInput
            autoComplete="off"
            description={keyHint(provider)}
            label="API key"
            placeholder={provider?.hasApiKey ? "•••••••• stored" : ""}
            {...form.getInputProps("apiKey")}
          />
          <Switch
            description="Agents of a disabled provider cannot answer."
            label="Enabled"
            {...form.getInputProps("enabled", { type: "checkbox" })}
          />
          {problem && <ProblemNotice problem={problem} />}
          {mayWrite && (
            <Group>
              <Button loading={create.busy || update.busy} type="submit">
                {provider ? "Save" : "Add provider"}
              </Button>
            </Group>
          )}
        </Stack>
      </Fieldset>
    </form>
  );
}

function keyHint(provider: ProviderItemFragment | null): string {
  if (!provider) return "Stored encrypted and never shown again.";
  return provider.hasApiKey
    ? "Leave it empty to keep the stored one. A new address needs the key again."
    : "None is stored yet.";
}
