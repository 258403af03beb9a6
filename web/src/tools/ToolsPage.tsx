import { Badge, Button, Card, Group, Modal, Stack, Switch, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { useQuery } from "urql";
import { useMay } from "../api/context";
import { type Problem, problemOf } from "../api/errors";
import { type BuiltinToolItemFragment, BuiltinToolsDocument, UpdateBuiltinToolDocument } from "../gql/graphql";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { useRefreshOn } from "../live/events";
import { byCategory, factsOf } from "./groups";
import { SettingsForm } from "./SettingsForm";

export default function ToolsPage() {
  const mayChange = useMay("ADMIN");
  const [{ data, error }, execute] = useQuery({ query: BuiltinToolsDocument });
  const refresh = () => execute({ requestPolicy: "network-only" });
  useRefreshOn(["builtin_tool"], refresh);
  return (
    <Page
      lead={
        <>
          What agents can do besides talking. An agent has those that its own page allows and that are on here.
          {!mayChange && " Only administrators switch them."}
        </>
      }
      title="Built-in tools"
      width={860}
    >
      {error && <ProblemNotice onRetry={refresh} problem={problemOf(error)} />}
      {!data && !error && <Loading />}
      {byCategory(data?.builtinTools ?? []).map(({ name, tools }) => (
        <Stack component="section" gap="xs" key={name}>
          <Title order={2}>{name}</Title>
          <Stack aria-label={name} gap="xs" role="list">
            {tools.map((tool) => (
              <ToolRow key={tool.id} mayChange={mayChange} onChanged={refresh} tool={tool} />
            ))}
          </Stack>
        </Stack>
      ))}
    </Page>
  );
}

interface RowProps {
  tool: BuiltinToolItemFragment;
  mayChange: boolean;
  onChanged: () => void;
}

function ToolRow({ tool, mayChange, onChanged }: RowProps) {
  const update = useAction(UpdateBuiltinToolDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [editing, editor] = useDisclosure(false);
  const lacks = tool.missing.length > 0;

  const turn = async (enabled: boolean) => {
    const outcome = await update.run({ name: tool.name, enabled });
    setProblem(outcome.problem);
    if (!outcome.problem) onChanged();
  };

  return (
    <Card padding="sm" role="listitem" withBorder>
      <Group align="flex-start" gap="md" wrap="nowrap">
        <Stack flex={1} gap={4} miw={0}>
          <Group gap={8}>
            <Text fw={600}>{tool.displayName}</Text>
            <Text c="dimmed" ff="monospace" size="xs">
              {tool.name}
            </Text>
            {lacks && <Badge color="yellow">Missing: {tool.missing.join(", ")}</Badge>}
          </Group>
          <Text lineClamp={2} size="sm" title={tool.description}>
            {tool.description}
          </Text>
          <Text c="dimmed" size="xs">
            {factsOf(tool).join(" · ")}
          </Text>
        </Stack>
        {mayChange ? (
          <Switch
            aria-label={`${tool.displayName} is on`}
            checked={tool.enabled}
            disabled={update.busy || (lacks && !tool.enabled)}
            onChange={(event) => void turn(event.currentTarget.checked)}
          />
        ) : (
          <Badge color={tool.enabled ? "claw" : "gray"}>{tool.enabled ? "On" : "Off"}</Badge>
        )}
      </Group>
      {mayChange && tool.settingsSchema !== null && (
        <Group mt="xs">
          <Button
            aria-label={`Settings of ${tool.displayName}`}
            onClick={editor.open}
            size="compact-sm"
            variant="default"
          >
            Settings
          </Button>
        </Group>
      )}
      {problem && <ProblemNotice problem={problem} />}
      <Modal onClose={editor.close} opened={editing} title={<Text fw={600}>{tool.displayName}</Text>}>
        <SettingsForm
          onSaved={() => {
            editor.close();
            onChanged();
          }}
          tool={tool}
        />
      </Modal>
    </Card>
  );
}
