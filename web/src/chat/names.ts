import { agentName } from "../agents/names";
import type { SessionItemFragment } from "../gql/graphql";

/** A chat without a name is called after its agent. */
export function sessionTitle({ label, agent }: SessionItemFragment): string {
  return label === null || label === "" ? `Chat with ${agentName(agent)}` : label;
}
