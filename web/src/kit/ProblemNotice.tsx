import { Alert, Anchor, Button, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Problem } from "../api/errors";
import { AlertIcon } from "./icons";

interface Props {
  problem: Problem;
  title?: string;
  onRetry?: (() => void) | undefined;
  retryLabel?: string;
  /** Further ways on, beside the button. */
  links?: ReactNode;
}

/** Says what went wrong and what to do about it. */
export function ProblemNotice({ problem, title, onRetry, retryLabel = "Try again", links }: Props) {
  return (
    <Alert color="red" icon={<AlertIcon />} role="alert" title={title ?? problem.message}>
      {title !== undefined && <Text size="sm">{problem.message}</Text>}
      <Text size="sm">{problem.advice}</Text>
      <Group gap="md" mt={onRetry || links !== undefined || placeFor(problem.code) ? "xs" : 0}>
        {onRetry && (
          <Button color="red" onClick={onRetry} size="compact-sm" variant="outline">
            {retryLabel}
          </Button>
        )}
        <PlaceLink code={problem.code} />
        {links}
      </Group>
    </Alert>
  );
}

function PlaceLink({ code }: { code: string }) {
  const place = placeFor(code);
  if (!place) return null;
  return (
    <Anchor component={Link} size="sm" to={place.to}>
      {place.label}
    </Anchor>
  );
}

function placeFor(code: string): { to: string; label: string } | null {
  if (/^(provider_|local_model|host_refused|port_refused|upstream_(unreachable|refused|credential|garbage))/.test(code)) {
    return { to: "/providers", label: "Go to providers" };
  }
  if (code.startsWith("agent_")) return { to: "/agents", label: "Go to agents" };
  return null;
}
