import { Badge, Button, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useQuery } from "urql";
import { type Problem, problemOf } from "../api/errors";
import {
  type AgentLinkItemFragment,
  AgentLinksDocument,
  CreateAgentLinkDocument,
  DeleteAgentLinkDocument,
  type LinkDirection,
  UpdateAgentLinkDocument,
} from "../gql/graphql";
import { orNull, placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { type Column, Rows } from "../kit/Rows";
import { useAction } from "../kit/useAction";
import { agentName } from "./names";

const directions: { value: LinkDirection; label: string }[] = [
  { value: "OUTBOUND", label: "This agent may ask it" },
  { value: "INBOUND", label: "It may ask this agent" },
  { value: "BIDIRECTIONAL", label: "Each may ask the other" },
];
const turned: Record<LinkDirection, LinkDirection> = {
  OUTBOUND: "INBOUND",
  INBOUND: "OUTBOUND",
  BIDIRECTIONAL: "BIDIRECTIONAL",
};

/** What a link lets this agent do, whichever end of it this one is. */
function rightOf(link: AgentLinkItemFragment, agentId: string): string {
  const seen = link.sourceAgentId === agentId ? link.direction : turned[link.direction];
  return directions.find(({ value }) => value === seen)?.label ?? seen;
}

export function Links({ agentId }: { agentId: string }) {
  const [{ data, error }, execute] = useQuery({ query: AgentLinksDocument, variables: { agentId } });
  const refresh = () => execute({ requestPolicy: "network-only" });
  const remove = useAction(DeleteAgentLinkDocument);
  const update = useAction(UpdateAgentLinkDocument);
  const [problem, setProblem] = useState<Problem | null>(null);

  const done = (outcome: { problem: Problem | null }) => {
    setProblem(outcome.problem);
    refresh();
  };
  const columns: Column<AgentLinkItemFragment>[] = [
    {
      label: "Agent",
      render: ({ sourceAgentId, sourceAgent, targetAgent }) => (
        <Text fw={600} size="sm">
          {agentName(sourceAgentId === agentId ? targetAgent : sourceAgent)}
        </Text>
      ),
    },
    { label: "Right", render: (link) => rightOf(link, agentId) },
    { label: "What for", render: ({ description }) => description ?? "–" },
    {
      label: "State",
      render: ({ status }) =>
        status === "ACTIVE" ? <Badge color="claw">Active</Badge> : <Badge color="gray">Switched off</Badge>,
    },
  ];
  const links = data?.agentLinks.nodes ?? [];
  const others = (data?.agents.nodes ?? []).filter(({ id }) => id !== agentId);

  return (
    <Stack gap="sm">
      <Title order={2}>Links to other agents</Title>
      <Text c="dimmed" size="sm">
        Over a link an agent with the tool delegate gives another one tasks, in the name of whoever speaks with it.
      </Text>
      {error && !data && <ProblemNotice onRetry={refresh} problem={problemOf(error)} />}
      {links.length > 0 && (
        <Rows
          actions={(link) => (
            <Group gap={4} justify="flex-end" wrap="nowrap">
              <Button
                onClick={() =>
                  void update
                    .run({ id: link.id, status: link.status === "ACTIVE" ? "DISABLED" : "ACTIVE" })
                    .then(done)
                }
                size="compact-sm"
                variant="subtle"
              >
                {link.status === "ACTIVE" ? "Switch off" : "Switch on"}
              </Button>
              <Button color="red" onClick={() => void remove.run({ id: link.id }).then(done)} size="compact-sm" variant="subtle">
                Remove
              </Button>
            </Group>
          )}
          caption="Links"
          columns={columns}
          items={links}
          keyOf={({ id }) => id}
        />
      )}
      {problem && <ProblemNotice problem={problem} />}
      <LinkForm agentId={agentId} onChanged={refresh} others={others} />
    </Stack>
  );
}

interface FormProps {
  agentId: string;
  others: readonly { id: string; key: string; displayName: string | null }[];
  onChanged: () => void;
}

interface Fields {
  other: string | null;
  direction: LinkDirection;
  description: string;
}

function LinkForm({ agentId, others, onChanged }: FormProps) {
  const create = useAction(CreateAgentLinkDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useForm<Fields>({
    initialValues: { other: null, direction: "OUTBOUND", description: "" },
    validate: { other: (value) => (value === null ? "Choose an agent" : null) },
  });

  const submit = async () => {
    const { other, direction, description } = form.values;
    if (other === null) return;
    const outcome = await create.run({
      sourceAgentId: agentId,
      targetAgentId: other,
      direction,
      description: orNull(description),
    });
    setProblem(placeProblem(form, outcome.problem));
    if (outcome.problem) return;
    form.reset();
    onChanged();
  };

  return (
    <form onSubmit={form.onSubmit(() => void submit())}>
      <Stack gap="xs">
        <Group align="flex-start">
          <Select
            data={others.map((agent) => ({ value: agent.id, label: agentName(agent) }))}
            flex="1 1 180px"
            label="Other agent"
            searchable
            {...form.getInputProps("other")}
          />
          <Select
            allowDeselect={false}
            data={directions}
            flex="1 1 180px"
            label="Who may ask"
            {...form.getInputProps("direction")}
          />
          <TextInput flex="2 1 220px" label="What it is good for" {...form.getInputProps("description")} />
          <Button loading={create.busy} mt={{ base: 0, xs: 25 }} type="submit" variant="light">
            Link
          </Button>
        </Group>
        {problem && <ProblemNotice problem={problem} />}
      </Stack>
    </form>
  );
}
