import { Badge } from "@mantine/core";
import type { CronRunStatus } from "../gql/graphql";

const looks: Record<CronRunStatus, { color: string; label: string }> = {
  STARTED: { color: "blue", label: "Running" },
  COMPLETED: { color: "claw", label: "Completed" },
  ERROR: { color: "red", label: "Failed" },
  CANCELLED: { color: "gray", label: "Stopped" },
  SKIPPED: { color: "gray", label: "Skipped" },
};

export function CronStatus({ status }: { status: CronRunStatus }) {
  const { color, label } = looks[status];
  return <Badge color={color}>{label}</Badge>;
}
