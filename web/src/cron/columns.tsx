import { Badge, Text } from "@mantine/core";
import { agentName } from "../agents/names";
import type { CronJobItemFragment } from "../gql/graphql";
import { Age } from "../kit/Age";
import type { Column } from "../kit/Rows";
import { CronStatus } from "./CronStatus";
import { scheduleLine } from "./schedule";

export const columns: Column<CronJobItemFragment>[] = [
  {
    label: "Job",
    render: ({ name, message }) => (
      <>
        <Text fw={600} size="sm" style={{ overflowWrap: "anywhere" }}>
          {name}
        </Text>
        <Text c="dimmed" lineClamp={2} maw={320} size="xs" style={{ overflowWrap: "anywhere" }}>
          {message}
        </Text>
      </>
    ),
  },
  { label: "Agent", render: ({ agent }) => <Text size="sm">{agent ? agentName(agent) : "not yours any more"}</Text> },
  { label: "When", render: (job) => <Text size="sm">{scheduleLine(job)}</Text> },
  { label: "Next", render: (job) => <Next job={job} /> },
  { label: "Last", render: ({ lastRun }) => <Last run={lastRun} /> },
];

function Next({ job: { enabled, nextRunAt, pauseReason } }: { job: CronJobItemFragment }) {
  if (!enabled) {
    return (
      <>
        <Badge color={pauseReason === null ? "gray" : "red"}>Paused</Badge>
        <Text c="dimmed" maw={220} size="xs" style={{ overflowWrap: "anywhere" }}>
          {pauseReason !== null && `after 5 failures: ${pauseReason}`}
        </Text>
      </>
    );
  }
  return <Text size="sm">{nextRunAt === null ? "done" : <Age at={nextRunAt} />}</Text>;
}

function Last({ run }: { run: CronJobItemFragment["lastRun"] }) {
  if (run === null) return "never";
  return (
    <>
      <CronStatus status={run.status} />
      <Text c="dimmed" size="xs">
        <Age at={run.startedAt} />
      </Text>
    </>
  );
}
