import { Button, Code, Group, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Problem } from "../api/errors";
import type { ContextFileItemFragment } from "../gql/graphql";
import { Age } from "../kit/Age";
import { FileEditor } from "./FileEditor";
import { sizeLabel } from "./files";

interface Props {
  name: string;
  what?: string;
  /** What it says where there is no such file. */
  unwritten?: string;
  file: ContextFileItemFragment | undefined;
  /** Absent where it can only be read. */
  onSave?: (content: string) => Promise<Problem | null>;
}

/** A context file: its size, and its text when it is opened. */
export function FileRow({ name, what, unwritten = "not written", file, onSave }: Props) {
  const [open, setOpen] = useState(false);
  const verb = open ? "Close" : onSave ? (file ? "Edit" : "Write") : "Read";
  return (
    <Paper aria-label={name} component="li" p="sm" withBorder>
      <Group gap="xs" justify="space-between" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Group gap="xs">
            <Text ff="monospace" fw={600} size="sm">
              {name}
            </Text>
            <Text c="dimmed" size="xs">
              {file ? (
                <>
                  {sizeLabel(file.characters)} · <Age at={file.updatedAt} />
                </>
              ) : (
                unwritten
              )}
            </Text>
          </Group>
          {what !== undefined && (
            <Text c="dimmed" size="sm">
              {what}
            </Text>
          )}
        </div>
        <Button
          aria-expanded={open}
          aria-label={`${verb} ${name}`}
          onClick={() => setOpen(!open)}
          size="compact-sm"
          style={{ flexShrink: 0 }}
          variant="subtle"
        >
          {verb}
        </Button>
      </Group>
      {open && (
        <Stack mt="sm">
          {onSave ? (
            <FileEditor content={file?.content ?? ""} name={name} onClose={() => setOpen(false)} onSave={onSave} />
          ) : (
            <Code
              aria-label={`Text of ${name}`}
              block
              mah={320}
              style={{ overflow: "auto", overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}
              tabIndex={0}
            >
              {file?.content}
            </Code>
          )}
        </Stack>
      )}
    </Paper>
  );
}
