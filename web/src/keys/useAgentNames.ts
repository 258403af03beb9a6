import { useMemo } from "react";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import { KeyAgentsDocument } from "../gql/graphql";

/** The names of agents by their ids. */
export function useAgentNames(): ReadonlyMap<string, string> {
  const [{ data }] = useQuery({ query: KeyAgentsDocument });
  return useMemo(
    () => new Map(data?.agents.nodes.map((agent) => [agent.id, agentName(agent)])),
    [data],
  );
}
