import { ActionIcon, Button, Group, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useClient } from "urql";
import { useMay } from "../api/context";
import { type Problem, problemOf } from "../api/errors";
import {
  DeleteSessionDocument,
  RenameSessionDocument,
  SessionExportDocument,
  type SessionItemFragment,
} from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { DotsIcon, DownloadIcon, PencilIcon, TrashIcon } from "../kit/icons";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { saveJson } from "./download";
import { sessionTitle } from "./names";

interface Props {
  session: SessionItemFragment;
  onChanged: () => void;
  onDeleted: () => void;
}

export function SessionMenu({ session, onChanged, onDeleted }: Props) {
  const client = useClient();
  const mayWrite = useMay("WRITE");
  const remove = useAction(DeleteSessionDocument);
  const [renaming, renamer] = useDisclosure(false);
  const [deleting, deleter] = useDisclosure(false);
  const title = sessionTitle(session);

  const exportSession = async () => {
    const { data, error } = await client.query(SessionExportDocument, { id: session.id }).toPromise();
    if (data) saveJson(`goclaw-chat-${session.id}.json`, data.sessionExport);
    else if (error) warn(problemOf(error));
  };

  return (
    <>
      <Menu position="bottom-end" width={170} withinPortal>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${title}`} color="gray" variant="subtle">
            <DotsIcon />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {mayWrite && (
            <Menu.Item leftSection={<PencilIcon />} onClick={renamer.open}>
              Rename
            </Menu.Item>
          )}
          <Menu.Item leftSection={<DownloadIcon />} onClick={() => void exportSession()}>
            Export as JSON
          </Menu.Item>
          {mayWrite && (
            <Menu.Item color="red" leftSection={<TrashIcon />} onClick={deleter.open}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal onClose={renamer.close} opened={renaming} title="Rename this chat">
        <RenameForm onChanged={onChanged} onClose={renamer.close} session={session} />
      </Modal>
      <Confirm
        label="Delete chat"
        onClose={deleter.close}
        onConfirm={async () => {
          const { problem } = await remove.run({ id: session.id });
          if (!problem) onDeleted();
          return problem;
        }}
        opened={deleting}
        title="Delete this chat?"
      >
        “{title}” and its {session.messageCount} messages are deleted for good. Export it first if you may
        want it again.
      </Confirm>
    </>
  );
}

interface RenameProps {
  session: SessionItemFragment;
  onChanged: () => void;
  onClose: () => void;
}

function RenameForm({ session, onChanged, onClose }: RenameProps) {
  const rename = useAction(RenameSessionDocument);
  const [label, setLabel] = useState(session.label ?? "");
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async () => {
    const outcome = await rename.run({ id: session.id, label: label.trim() });
    setProblem(outcome.problem);
    if (outcome.problem) return;
    onChanged();
    onClose();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        <TextInput
          data-autofocus
          label="Name"
          maxLength={200}
          onChange={(event) => setLabel(event.currentTarget.value)}
          value={label}
        />
        {problem && <ProblemNotice problem={problem} />}
        <Group justify="flex-end">
          <Button onClick={onClose} variant="default">
            Cancel
          </Button>
          <Button disabled={label.trim() === ""} loading={rename.busy} type="submit">
            Rename
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function warn(problem: Problem): void {
  notifications.show({ color: "red", title: problem.message, message: problem.advice });
}
