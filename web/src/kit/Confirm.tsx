import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Problem } from "../api/errors";
import { ProblemNotice } from "./ProblemNotice";

interface Props {
  title: string;
  /** What will happen. */
  children: ReactNode;
  label: string;
  opened: boolean;
  onClose: () => void;
  /** Gives the problem when it failed, null when it is done. */
  onConfirm: () => Promise<Problem | null>;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, label, opened, onClose, onConfirm }: Props) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const close = () => {
    setProblem(null);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    const failure = await onConfirm();
    setBusy(false);
    setProblem(failure);
    if (!failure) close();
  };

  return (
    <Modal onClose={close} opened={opened} title={<Text fw={600}>{title}</Text>}>
      <Stack>
        <Text component="div" size="sm">
          {children}
        </Text>
        {problem && <ProblemNotice problem={problem} />}
        <Group justify="flex-end">
          <Button data-autofocus onClick={close} variant="default">
            Cancel
          </Button>
          <Button color="red" loading={busy} onClick={() => void confirm()}>
            {label}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
