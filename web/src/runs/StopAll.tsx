import { Alert, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { ResumeRunsDocument, StopAllRunsDocument, type StopFieldsFragment } from "../gql/graphql";
import { Age } from "../kit/Age";
import { AlertIcon } from "../kit/icons";
import { orNull } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";

interface Props {
  opened: boolean;
  onClose: () => void;
  onStopped: () => void;
}

/** Asks for the reason that everybody is told. */
export function StopAll({ opened, onClose, onStopped }: Props) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const stopAll = useAction(StopAllRunsDocument);

  const stop = async () => {
    const outcome = await stopAll.run({ reason: orNull(reason) });
    setProblem(outcome.problem);
    if (outcome.problem) return;
    setReason("");
    onStopped();
    onClose();
  };

  return (
    <Modal onClose={onClose} opened={opened} title={<Text fw={600}>Stop all runs?</Text>}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void stop();
        }}
      >
        <Stack>
          <Text size="sm">
            Every run of every user ends now, and none begins until an administrator lets them. What was said
            so far is kept.
          </Text>
          <Textarea
            autosize
            data-autofocus
            description="Those whose runs are refused are told."
            label="Reason"
            minRows={2}
            onChange={(event) => setReason(event.currentTarget.value)}
            value={reason}
          />
          {problem && <ProblemNotice problem={problem} />}
          <Group justify="flex-end">
            <Button onClick={onClose} variant="default">
              Cancel
            </Button>
            <Button color="red" loading={stopAll.busy} type="submit">
              Stop everything
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface NoticeProps {
  stop: StopFieldsFragment;
  isAdmin: boolean;
  onResumed: () => void;
}

export function StoppedNotice({ stop, isAdmin, onResumed }: NoticeProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const resume = useAction(ResumeRunsDocument);
  const letGo = async () => {
    const outcome = await resume.run({ stopId: stop.id });
    setProblem(outcome.problem);
    if (!outcome.problem) onResumed();
  };
  return (
    <Alert color="yellow" icon={<AlertIcon />} role="status" title="All runs are stopped">
      <Stack align="flex-start" gap="xs">
        <Text size="sm">
          {stop.reason ?? "No reason was given."}
          <Text c="dimmed" component="span" display="block" size="xs">
            Stopped by {stop.stoppedBy}, <Age at={stop.stoppedAt} />
          </Text>
        </Text>
        {isAdmin && (
          <Button loading={resume.busy} onClick={() => void letGo()} size="compact-sm">
            Let runs begin again
          </Button>
        )}
        {problem && <ProblemNotice problem={problem} />}
      </Stack>
    </Alert>
  );
}
