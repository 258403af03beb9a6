import { Anchor, Modal, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import {
  type CronJobItemFragment,
  type CronRunItemFragment,
  CronRunsDocument,
  type CronRunsQuery,
} from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { ClockIcon } from "../kit/icons";
import { List } from "../kit/List";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { CronStatus } from "./CronStatus";

const pick = (data: CronRunsQuery) => data.cronRuns;

const columns: Column<CronRunItemFragment>[] = [
  {
    label: "Due",
    render: ({ dueAt, trigger, askedBy }) => (
      <>
        <Text size="sm">
          <Age at={dueAt} />
        </Text>
        <Text c="dimmed" size="xs">
          {trigger === "MANUAL" ? `asked for by ${askedBy}` : "by the clock"}
        </Text>
      </>
    ),
  },
  {
    label: "Outcome",
    render: ({ status, errorMessage }) => (
      <>
        <CronStatus status={status} />
        <Text c="dimmed" size="xs" style={{ overflowWrap: "anywhere" }}>
          {errorMessage}
        </Text>
      </>
    ),
  },
  { label: "Delivery", render: (run) => <Delivery run={run} /> },
  { label: "Run", render: ({ run }) => <RunLinks run={run} /> },
];

interface Props {
  job: CronJobItemFragment;
  opened: boolean;
  onClose: () => void;
}

export function History({ job, opened, onClose }: Props) {
  return (
    <Modal onClose={onClose} opened={opened} size="xl" title={<Text fw={600}>History of {job.name}</Text>}>
      <Times jobId={job.id} />
    </Modal>
  );
}

function Times({ jobId }: { jobId: string }) {
  const variables = useMemo(() => ({ jobId }), [jobId]);
  const pages = usePages(CronRunsDocument, variables, pick);
  useRefreshOn(["cron_job"], pages.refresh);
  return (
    <List
      {...pages}
      empty={
        <EmptyState icon={<ClockIcon size={40} />} title="It has not run yet">
          Each time it is due is noted here.
        </EmptyState>
      }
    >
      {(runs) => <Rows caption="History" columns={columns} items={runs} keyOf={({ id }) => id} />}
    </List>
  );
}

function Delivery({ run: { delivery, deliveryAttempts, deliveryError } }: { run: CronRunItemFragment }) {
  if (delivery === null) return "–";
  const words = { PENDING: "not yet", DELIVERED: "delivered", FAILED: "failed" }[delivery];
  return (
    <>
      <Text size="sm">{deliveryAttempts > 1 ? `${words} (${deliveryAttempts} attempts)` : words}</Text>
      <Text c="dimmed" size="xs" style={{ overflowWrap: "anywhere" }}>
        {deliveryError}
      </Text>
    </>
  );
}

function RunLinks({ run }: { run: CronRunItemFragment["run"] }) {
  if (run === null) return "–";
  return (
    <>
      {run.sessionId !== null && (
        <Anchor component={Link} mr="xs" size="sm" to={`/chat/${run.sessionId}`}>
          Chat
        </Anchor>
      )}
      <Anchor component={Link} size="sm" to={`/traces/${run.traceId}`}>
        Trace
      </Anchor>
    </>
  );
}
