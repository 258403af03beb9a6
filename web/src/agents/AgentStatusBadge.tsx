import { Badge } from "@mantine/core";
import type { AgentStatus } from "../gql/graphql";

const looks: Record<AgentStatus, { color: string; label: string }> = {
  ACTIVE: { color: "claw", label: "Active" },
  INACTIVE: { color: "gray", label: "Inactive" },
  SUMMONING: { color: "blue", label: "Being prepared" },
  SUMMON_FAILED: { color: "red", label: "Not prepared" },
};

export function AgentStatusBadge({ status }: { status: AgentStatus }) {
  const { color, label } = looks[status];
  return <Badge color={color}>{label}</Badge>;
}
