import { Button, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { type ShareItemFragment, ShareAgentDocument, type ShareRole, UnshareAgentDocument } from "../gql/graphql";
import { orNull, placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { type Column, Rows } from "../kit/Rows";
import { useAction } from "../kit/useAction";
import type { AgentDetail } from "./form";

const roles: { value: ShareRole; label: string }[] = [
  { value: "USER", label: "May use it" },
  { value: "OPERATOR", label: "May operate it" },
  { value: "ADMIN", label: "May change and share it" },
];

const columns: Column<ShareItemFragment>[] = [
  { label: "User", render: ({ userId }) => <Text fw={600}>{userId}</Text> },
  {
    label: "Right",
    render: ({ role }) => roles.find(({ value }) => value === role)?.label ?? role,
  },
  { label: "Given by", render: ({ grantedBy }) => grantedBy },
];

interface Props {
  agent: AgentDetail;
  onChanged: () => void;
}

export function Shares({ agent, onChanged }: Props) {
  const unshare = useAction(UnshareAgentDocument);
  const [problem, setProblem] = useState<Problem | null>(null);

  const remove = async (userId: string) => {
    const outcome = await unshare.run({ agentId: agent.id, userId });
    setProblem(outcome.problem);
    if (!outcome.problem) onChanged();
  };

  return (
    <Stack gap="sm">
      <Title order={2}>Shared with</Title>
      {agent.shares.length === 0 ? (
        <Text c="dimmed" size="sm">
          Nobody yet: only its owner and administrators can use this agent
          {agent.isDefault ? ", and everybody as the default agent" : ""}.
        </Text>
      ) : (
        <Rows
          actions={({ userId }) => (
            <Button
              aria-label={`Stop sharing with ${userId}`}
              color="red"
              onClick={() => void remove(userId)}
              size="compact-sm"
              variant="subtle"
            >
              Remove
            </Button>
          )}
          caption="Shares"
          columns={columns}
          items={agent.shares}
          keyOf={({ id }) => id}
        />
      )}
      {problem && <ProblemNotice problem={problem} />}
      <ShareForm agentId={agent.id} onChanged={onChanged} />
    </Stack>
  );
}

function ShareForm({ agentId, onChanged }: { agentId: string; onChanged: () => void }) {
  const share = useAction(ShareAgentDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useForm<{ userId: string; role: ShareRole }>({
    initialValues: { userId: "", role: "USER" },
    validate: { userId: (value) => (orNull(value) ? null : "Enter a user id") },
  });

  const submit = async () => {
    const { userId, role } = form.values;
    const outcome = await share.run({ agentId, userId: userId.trim(), role });
    setProblem(placeProblem(form, outcome.problem));
    if (outcome.problem) return;
    form.reset();
    onChanged();
  };

  return (
    <form onSubmit={form.onSubmit(() => void submit())}>
      <Stack gap="xs">
        <Group align="flex-start">
          <TextInput flex="1 1 180px" label="User id" {...form.getInputProps("userId")} />
          <Select
            allowDeselect={false}
            data={roles}
            flex="1 1 180px"
            label="Right"
            {...form.getInputProps("role")}
          />
          <Button loading={share.busy} mt={{ base: 0, xs: 25 }} type="submit" variant="light">
            Share
          </Button>
        </Group>
        {problem && <ProblemNotice problem={problem} />}
      </Stack>
    </form>
  );
}
