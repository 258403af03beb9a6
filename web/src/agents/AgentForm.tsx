import { Button, Fieldset, Group, Select, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useQuery } from "urql";
import { useMay } from "../api/context";
import type { Problem } from "../api/errors";
import { CreateAgentDocument, ProviderChoicesDocument, UpdateAgentDocument } from "../gql/graphql";
import { placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { providerLabel } from "../providers/names";
import { toolsConfigOf } from "./configs";
import { type AgentDetail, createInput, updateInput, validation, valuesOf } from "./form";
import { Kind } from "./Kind";
import { Limits } from "./Limits";
import { ModelInput } from "./ModelInput";
import { Preview } from "./Preview";
import { Tools } from "./Tools";

interface Props {
  /** Null for a new one. */
  agent: AgentDetail | null;
  onSaved: () => void;
}

export function AgentForm({ agent, onSaved }: Props) {
  const navigate = useNavigate();
  const mayWrite = useMay("WRITE");
  const form = useForm({ initialValues: valuesOf(agent), validate: validation });
  const create = useAction(CreateAgentDocument);
  const update = useAction(UpdateAgentDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const readOnly = agent ? !agent.mayEdit : !mayWrite;

  const submit = async () => {
    const outcome = agent
      ? await update.run(updateInput(agent, form.values))
      : await create.run(createInput(form.values));
    setProblem(placeProblem(form, outcome.problem));
    if (outcome.problem) return;
    notifications.show({ message: agent ? "Agent saved" : "Agent created" });
    onSaved();
    if (!agent) void navigate("/agents");
  };

  return (
    <form onSubmit={form.onSubmit(() => void submit())}>
      <Fieldset disabled={readOnly} p={0} variant="unstyled">
        <Stack>
          <Group align="flex-start" grow preventGrowOverflow={false}>
            <TextInput
              description="Clients name the agent by it, as model or header."
              label="Key"
              placeholder="my-agent"
              required
              {...form.getInputProps("key")}
            />
            <TextInput
              description="What people see; the key if empty."
              label="Name"
              {...form.getInputProps("displayName")}
            />
          </Group>
          <TextInput label="Description" {...form.getInputProps("description")} />
          <Group align="flex-start" grow preventGrowOverflow={false}>
            <ProviderInput
              error={form.errors.providerId}
              onChange={(id) => form.setFieldValue("providerId", id)}
              value={form.values.providerId}
            />
            <ModelInput
              error={form.errors.model as string | undefined}
              onChange={(model) => form.setFieldValue("model", model)}
              providerId={form.values.providerId}
              value={form.values.model}
            />
          </Group>
          <Textarea
            autosize
            description="What the model is told before every conversation."
            label="System prompt"
            maxRows={18}
            minRows={5}
            placeholder="You are a patient teacher. Answer in short sentences."
            {...form.getInputProps("systemPrompt")}
          />
          <Switch
            description="Answers when a client names no agent."
            label="Default agent"
            {...form.getInputProps("isDefault", { type: "checkbox" })}
          />
          {agent && (
            <Switch
              description="An inactive agent answers nobody."
              label="Active"
              {...form.getInputProps("active", { type: "checkbox" })}
            />
          )}
          <Kind form={form} />
          <Tools form={form} />
          <Limits form={form} />
          {agent && (
            <Preview
              agentId={agent.id}
              systemPrompt={form.values.systemPrompt.trim()}
              toolsConfig={toolsConfigOf(agent.toolsConfig, form.values.toolsConfig)}
            />
          )}
          {problem && <ProblemNotice problem={problem} />}
          {!readOnly && (
            <Group>
              <Button loading={create.busy || update.busy} type="submit">
                {agent ? "Save" : "Create agent"}
              </Button>
            </Group>
          )}
        </Stack>
      </Fieldset>
    </form>
  );
}

interface ProviderInputProps {
  value: string;
  onChange: (id: string) => void;
  error: React.ReactNode;
}

function ProviderInput({ value, onChange, error }: ProviderInputProps) {
  const [{ data }] = useQuery({ query: ProviderChoicesDocument });
  const providers = data?.providers.nodes ?? [];
  return (
    <Select
      allowDeselect={false}
      data={providers.map((provider) => ({
        value: provider.id,
        label: providerLabel(provider),
        disabled: !provider.enabled && provider.id !== value,
      }))}
      description="Who runs the model. Add more under Providers."
      error={error}
      label="Provider"
      onChange={(id) => onChange(id ?? "")}
      placeholder="Choose a provider"
      required
      value={value === "" ? null : value}
    />
  );
}
