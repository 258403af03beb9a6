import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { formatCount } from "../kit/format";
import { ProblemNotice } from "../kit/ProblemNotice";
import { charactersIn, maxCharacters, sizeLabel } from "./files";

interface Props {
  name: string;
  content: string;
  /** Gives the problem, if there was one. */
  onSave: (content: string) => Promise<Problem | null>;
  onClose: () => void;
}

/** One context file, edited where it stands. */
export function FileEditor({ name, content, onSave, onClose }: Props) {
  const [text, setText] = useState(content);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const characters = charactersIn(text);
  const tooLong = characters > maxCharacters;

  const save = async () => {
    setBusy(true);
    const failed = await onSave(text.trim() === "" ? "" : text);
    setBusy(false);
    setProblem(failed);
    if (!failed) onClose();
  };

  return (
    <Stack gap="xs">
      <Textarea
        aria-label={`Text of ${name}`}
        autosize
        error={tooLong ? `Too long by ${sizeLabel(characters - maxCharacters)}` : undefined}
        maxRows={20}
        minRows={6}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.85rem" } }}
        value={text}
      />
      <Group justify="space-between">
        <Text c={tooLong ? "red" : "dimmed"} size="sm" style={{ fontVariantNumeric: "tabular-nums" }}>
          {formatCount(characters)} of {formatCount(maxCharacters)}
          {text.trim() === "" && content !== "" ? " · saved empty, the file is removed" : ""}
        </Text>
        <Group gap="xs">
          <Button onClick={onClose} size="compact-sm" variant="subtle">
            Cancel
          </Button>
          <Button
            aria-label={`Save ${name}`}
            disabled={tooLong || text === content}
            loading={busy}
            onClick={() => void save()}
            size="compact-sm"
          >
            Save
          </Button>
        </Group>
      </Group>
      {problem && <ProblemNotice problem={problem} />}
    </Stack>
  );
}
