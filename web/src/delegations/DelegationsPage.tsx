import { Anchor, Badge, Box, Code, Group, Paper, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { useSeesAll } from "../api/context";
import { type DelegationItemFragment, DelegationsDocument, type DelegationsQuery, type DelegationStatus } from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { formatCost, formatCount, formatDuration } from "../kit/format";
import { TreeIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { type Branch, treeOf } from "./tree";

const pick = (data: DelegationsQuery) => data.delegations;

const looks: Record<DelegationStatus, { color: string; label: string }> = {
  RUNNING: { color: "blue", label: "At work" },
  COMPLETED: { color: "claw", label: "Done" },
  FAILED: { color: "red", label: "Failed" },
  CANCELLED: { color: "gray", label: "Stopped" },
};
const choices = Object.entries(looks).map(([value, { label }]) => ({ value, label }));

export default function DelegationsPage() {
  const seesAll = useSeesAll();
  const [status, setStatus] = useState<DelegationStatus | null>(null);
  const { refresh, ...pages } = usePages(DelegationsDocument, { status }, pick);
  useRefreshOn(["delegation"], refresh);

  return (
    <Page
      actions={
        <Select
          aria-label="Only those that are"
          clearable
          data={choices}
          onChange={(value) => setStatus(value as DelegationStatus | null)}
          placeholder="In any state"
          value={status}
          w={160}
        />
      }
      lead={`Tasks that agents gave copies of themselves, or one another${seesAll ? "" : ", for you"}. Below each stands what came of it.`}
      title="Delegations"
    >
      <List
        {...pages}
        empty={
          <EmptyState icon={<TreeIcon size={40} />} title={status === null ? "No tasks yet" : "None of these"}>
            Give an agent the tool spawn to let it work with copies of itself, or the tool delegate and a link to
            another agent, both on its page under <Anchor component={Link} to="/agents">Agents</Anchor>.
          </EmptyState>
        }
        refresh={refresh}
      >
        {(items) => <Branches branches={treeOf(items)} name="Delegations" />}
      </List>
    </Page>
  );
}

interface BranchesProps {
  branches: readonly Branch<DelegationItemFragment>[];
  name: string;
}

function Branches({ branches, name }: BranchesProps) {
  return (
    <Stack aria-label={name} component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }}>
      {branches.map(({ task, children }) => (
        <li key={task.id}>
          <Task task={task} />
          {children.length > 0 && (
            <Box mt="xs" pl={{ base: "sm", sm: "xl" }} style={{ borderLeft: "2px solid var(--mantine-color-default-border)" }}>
              <Branches branches={children} name={`What came of ${task.label}`} />
            </Box>
          )}
        </li>
      ))}
    </Stack>
  );
}

function Task({ task }: { task: DelegationItemFragment }) {
  const { color, label } = looks[task.status];
  const asked = `${task.sourceAgentKey ?? "deleted agent"} → ${
    task.kind === "SPAWN" ? "a copy of itself" : (task.targetAgentKey ?? "deleted agent")
  }`;
  const figures = [
    formatDuration(task.durationMs),
    `${formatCount(task.inputTokens)} in, ${formatCount(task.outputTokens)} out`,
    `cost ${formatCost(task.costUsd)}`,
    task.mode === "SYNC" ? "waited for" : "told later",
  ];
  return (
    <Paper aria-label={`${task.label}: ${label}`} className="step" component="details" radius="md" withBorder>
      <Box component="summary" px="sm" py="xs">
        <Group component="span" display="flex" gap="sm" wrap="nowrap">
          <Box component="span" flex="1 1 0" miw={0}>
            <Text component="span" display="block" fw={600} size="sm" truncate>
              {task.label}
            </Text>
            <Text c="dimmed" component="span" display="block" size="xs" truncate>
              {asked} · <Age at={task.createdAt} />
            </Text>
          </Box>
          <Badge color={color}>{label}</Badge>
        </Group>
      </Box>
      <Stack gap="xs" pb="sm" px="sm">
        <Words label="Task" text={task.task} />
        {task.result !== null && <Words label="Result" text={task.result} />}
        {task.error !== null && <Words label="What went wrong" text={task.error} />}
        <Text c="dimmed" size="xs">
          {figures.join(" · ")}
          {task.traceId !== null && (
            <>
              {" · "}
              <Anchor component={Link} size="xs" to={`/traces/${task.traceId}`} underline="always">
                Trace
              </Anchor>
            </>
          )}
        </Text>
      </Stack>
    </Paper>
  );
}

function Words({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <Text c="dimmed" size="xs">
        {label}
      </Text>
      <Code block mah={260} style={{ overflow: "auto", overflowWrap: "anywhere", whiteSpace: "pre-wrap" }} tabIndex={0}>
        {text === "" ? "(not stored)" : text}
      </Code>
    </div>
  );
}
