import { Badge } from "@mantine/core";
import type { RunStatus } from "../gql/graphql";

const looks: Record<RunStatus, { color: string; label: string }> = {
  QUEUED: { color: "gray", label: "Waiting" },
  RUNNING: { color: "blue", label: "Running" },
  COMPLETED: { color: "claw", label: "Completed" },
  ERROR: { color: "red", label: "Failed" },
  CANCELLED: { color: "gray", label: "Stopped" },
};

export const runStatuses = Object.entries(looks).map(([value, { label }]) => ({ value, label }));

export function StatusBadge({ status }: { status: RunStatus }) {
  const { color, label } = looks[status];
  return <Badge color={color}>{label}</Badge>;
}
