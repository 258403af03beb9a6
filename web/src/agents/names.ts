/** How an agent is called where people read it. */
export function agentName(agent: { key: string; displayName: string | null } | null): string {
  if (!agent) return "deleted agent";
  return agent.displayName === null || agent.displayName === "" ? agent.key : agent.displayName;
}
