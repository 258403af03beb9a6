import { ActionIcon, Button, Group, Menu, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import type { Problem } from "../api/errors";
import {
  type CronJobItemFragment,
  DeleteCronJobDocument,
  RunCronJobDocument,
  UpdateCronJobDocument,
} from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { DotsIcon } from "../kit/icons";
import { useAction } from "../kit/useAction";
import { History } from "./History";
import { JobForm } from "./JobForm";

interface Props {
  job: CronJobItemFragment;
  onChanged: () => void;
}

export function JobMenu({ job, onChanged }: Props) {
  const run = useAction(RunCronJobDocument);
  const update = useAction(UpdateCronJobDocument);
  const remove = useAction(DeleteCronJobDocument);
  const [editing, editor] = useDisclosure(false);
  const [deleting, deleter] = useDisclosure(false);
  const [reading, reader] = useDisclosure(false);
  const done = ({ problem }: { problem: Problem | null }) => {
    if (problem) notifications.show({ color: "red", message: `${problem.message} ${problem.advice}` });
    else onChanged();
    return problem;
  };
  const toggle = async () => done(await update.run({ id: job.id, enabled: !job.enabled }));

  return (
    <Group display="inline-flex" gap={4} wrap="nowrap">
      <Button
        aria-label={`Run ${job.name} now`}
        disabled={job.runId !== null}
        loading={run.busy}
        onClick={() => void run.run({ id: job.id }).then(done)}
        size="compact-sm"
        variant="subtle"
      >
        Run now
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`More for ${job.name}`} color="gray" variant="subtle">
            <DotsIcon />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={reader.open}>History</Menu.Item>
          <Menu.Item onClick={editor.open}>Change</Menu.Item>
          <Menu.Item onClick={() => void toggle()}>{job.enabled ? "Pause" : "Go on"}</Menu.Item>
          <Menu.Item color="red" onClick={deleter.open}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <History job={job} onClose={reader.close} opened={reading} />
      <Modal onClose={editor.close} opened={editing} size="lg" title={<Text fw={600}>Change {job.name}</Text>}>
        <JobForm
          job={job}
          onDone={() => {
            editor.close();
            onChanged();
          }}
        />
      </Modal>
      <Confirm
        label="Delete job"
        onClose={deleter.close}
        onConfirm={async () => done(await remove.run({ id: job.id }))}
        opened={deleting}
        title={`Delete ${job.name}?`}
      >
        Its history goes with it. What its runs said stays in their chats.
      </Confirm>
    </Group>
  );
}
