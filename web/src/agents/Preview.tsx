import { Badge, Code, Fieldset, Group, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { AgentPreviewDocument } from "../gql/graphql";
import { useRefreshOn } from "../live/events";

interface Props {
  agentId: string;
  systemPrompt: string;
  toolsConfig: Record<string, unknown>;
}

const settleMs = 500;

/** What the server would tell the model and offer it, were the form saved as it is. */
export function Preview({ agentId, systemPrompt, toolsConfig }: Props) {
  const asked = JSON.stringify({ systemPrompt, toolsConfig });
  const [settled] = useDebouncedValue(asked, settleMs);
  const [{ data, error }, execute] = useQuery({
    query: AgentPreviewDocument,
    variables: { id: agentId, ...(JSON.parse(settled) as Pick<Props, "systemPrompt" | "toolsConfig">) },
    requestPolicy: "network-only",
  });
  useRefreshOn(["agent"], () => execute({ requestPolicy: "network-only" }));
  const preview = data?.agent.preview;
  return (
    <Fieldset legend="What the model gets">
      <Stack gap="sm">
        {error && (
          <Text c="red" role="alert" size="sm">
            {problemOf(error).message}
          </Text>
        )}
        {preview && !error && (
          <>
            <Group aria-label="Tools it may call" gap={6} role="list">
              {preview.tools.length === 0 ? (
                <Text c="dimmed" size="sm">
                  No tools: it is asked once, and answers.
                </Text>
              ) : (
                preview.tools.map((name) => (
                  <Badge key={name} role="listitem">
                    {name}
                  </Badge>
                ))
              )}
            </Group>
            <details>
              <Text component="summary" size="sm" style={{ cursor: "pointer" }}>
                The whole system prompt, {preview.systemPrompt.length.toLocaleString("en")} characters
              </Text>
              <Code
                aria-label="The whole system prompt"
                block
                mah={360}
                mt="xs"
                style={{ overflow: "auto", overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}
                tabIndex={0}
              >
                {preview.systemPrompt === "" ? "(nothing)" : preview.systemPrompt}
              </Code>
            </details>
          </>
        )}
      </Stack>
    </Fieldset>
  );
}
