import { Badge, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useConnection } from "../api/context";
import type { ConnectionState } from "../api/connection";

const looks: Record<ConnectionState, { color: string; label: string; hint: string }> = {
  connecting: { color: "gray", label: "Connecting", hint: "Opening the live connection." },
  connected: { color: "teal", label: "Connected", hint: "Live updates arrive as they happen." },
  waiting: {
    color: "yellow",
    label: "Reconnecting",
    hint: "The live connection was lost. The page tries again and catches up by itself.",
  },
  refused: { color: "red", label: "Refused", hint: "The gateway refused the live connection." },
};

export function ConnectionBadge() {
  const { color, label, hint } = looks[useConnection()];
  const narrow = useMediaQuery("(max-width: 30em)", false, { getInitialValueInEffect: false });
  return (
    <Tooltip label={narrow ? `${label}. ${hint}` : hint}>
      <Badge
        aria-label={`Live connection: ${label}`}
        circle={narrow}
        color={color}
        role="status"
        size={narrow ? "xs" : "md"}
        tabIndex={0}
        tt="none"
        variant={narrow ? "filled" : "dot"}
      >
        {narrow ? "" : label}
      </Badge>
    </Tooltip>
  );
}
