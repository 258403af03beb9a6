import type { BuiltinToolItemFragment } from "../gql/graphql";
import { formatDuration } from "../kit/format";

interface Group {
  name: string;
  tools: BuiltinToolItemFragment[];
}

/** In the order of the list, which is by category. */
export function byCategory(tools: readonly BuiltinToolItemFragment[]): Group[] {
  const groups: Group[] = [];
  for (const tool of tools) {
    const name = tool.category.charAt(0).toUpperCase() + tool.category.slice(1);
    const last = groups.at(-1);
    if (last?.name === name) last.tools.push(tool);
    else groups.push({ name, tools: [tool] });
  }
  return groups;
}

/** What is good to know of a tool before an agent gets it. */
export function factsOf({ metadata, requires }: BuiltinToolItemFragment): string[] {
  const facts: string[] = [];
  if (typeof metadata === "object" && metadata !== null) {
    if ("timeout_s" in metadata && typeof metadata.timeout_s === "number") {
      facts.push(`stopped after ${formatDuration(metadata.timeout_s * 1_000)}`);
    }
    if ("external" in metadata && metadata.external === true) facts.push("results are strangers' words");
  }
  if (requires.length > 0) facts.push(`needs ${requires.join(", ")}`);
  return facts;
}
