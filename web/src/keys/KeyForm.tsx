import {
  Button,
  Checkbox,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { CreateApiKeyDocument } from "../gql/graphql";
import { dayOf } from "../kit/days";
import { placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { useNow } from "../kit/useNow";
import { expiryChoices } from "./expiry";
import { createInput, type KeyValues, newKey, validation } from "./form";
import { scopeChoices, scopeNames } from "./scopes";
import { useAgentNames } from "./useAgentNames";

export function KeyForm({ onCreated }: { onCreated: (secret: string) => void }) {
  const create = useAction(CreateApiKeyDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const agents = useAgentNames();
  const today = dayOf(useNow());
  const form = useForm<KeyValues>({ initialValues: newKey, validate: validation });

  const submit = async () => {
    const outcome = await create.run(createInput(form.values));
    setProblem(placeProblem(form, outcome.problem));
    if (outcome.data) onCreated(outcome.data.createApiKey.secret);
  };

  return (
    <form noValidate onSubmit={form.onSubmit(() => void submit())}>
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
            {scopeChoices.map(({ scope, may, mayNot }) => (
              <Checkbox
                description={
                  <>
                    {may}{" "}
                    <Text component="span" fw={600} inherit>
                      {mayNot}
                    </Text>
                  </>
                }
                key={scope}
                label={scopeNames[scope]}
                value={scope}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            allowDeselect={false}
            data={expiryChoices}
            description="It stops working after that."
            label="Expires"
            {...form.getInputProps("lasts")}
          />
          {form.values.lasts === "date" && (
            <TextInput
              description="It works until the end of that day."
              label="Last day"
              min={today}
              type="date"
              {...form.getInputProps("lastDay")}
            />
          )}
          <TextInput
            description="If set, the key acts as this user only."
            label="User id (optional)"
            {...form.getInputProps("userId")}
          />
          <NumberInput
            allowDecimal={false}
            allowNegative={false}
            description="Empty for the gateway's own limit."
            label="Calls a minute"
            max={1_000_000}
            min={1}
            placeholder="Gateway's limit"
            thousandSeparator=","
            {...form.getInputProps("rateLimitPerMinute")}
          />
        </SimpleGrid>
        <MultiSelect
          clearable
          data={[...agents].map(([value, label]) => ({ value, label }))}
          description="It reaches only these, with their chats and traces; leave it empty for all its user may use."
          label="Agents"
          maxValues={100}
          nothingFoundMessage="No agent of that name"
          placeholder={form.values.agentIds.length === 0 ? "All agents" : ""}
          searchable
          {...form.getInputProps("agentIds")}
        />
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
