import { ActionIcon, Button, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { CheckIcon, CopyIcon } from "./icons";

/** A line to be copied, such as a command. */
export function CopyLine({ text }: { text: string }) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Code block flex={1} miw={0} style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }} ta="left">
        {text}
      </Code>
      <CopyButton timeout={2_000} value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : "Copy"}>
            <ActionIcon aria-label={copied ? "Copied" : "Copy"} onClick={copy} variant="subtle">
              {copied ? <CheckIcon /> : <CopyIcon />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

export function CopySecret({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton timeout={3_000} value={text}>
      {({ copied, copy }) => (
        <Button leftSection={copied ? <CheckIcon /> : <CopyIcon />} onClick={copy}>
          {copied ? "Copied" : label}
        </Button>
      )}
    </CopyButton>
  );
}
