import { useCallback, useState } from "react";
import { type AnyVariables, type TypedDocumentNode, useClient, useQuery } from "urql";
import { type Problem, problemOf } from "../api/errors";

interface Connection<Item> {
  nodes: readonly Item[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface Pages<Item> {
  items: readonly Item[];
  loading: boolean;
  problem: Problem | null;
  hasMore: boolean;
  loadMore: () => Promise<void>;
  refresh: () => void;
}

interface Further<Item> {
  /** The first page these belong behind; they are dropped when it changes. */
  base: Connection<Item>;
  items: Item[];
  pageInfo: Connection<Item>["pageInfo"];
}

/** A list that grows page by page. `pick` must be a stable function. */
export function usePages<Data, Variables extends AnyVariables, Item extends { id: string }>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  pick: (data: Data) => Connection<Item>,
): Pages<Item> {
  const client = useClient();
  const [result, execute] = useQuery<Data>({ query: document, variables });
  const [further, setFurther] = useState<Further<Item> | null>(null);
  const [failure, setFailure] = useState<Problem | null>(null);
  const base = result.data ? pick(result.data) : null;
  const rest = further && further.base === base ? further : null;
  const pageInfo = rest?.pageInfo ?? base?.pageInfo;

  const loadMore = async () => {
    if (!base || !pageInfo?.hasNextPage) return;
    const next = await client
      .query<Data>(document, { ...variables, after: pageInfo.endCursor })
      .toPromise();
    setFailure(next.error ? problemOf(next.error) : null);
    if (!next.data) return;
    const page = pick(next.data);
    setFurther({ base, items: [...(rest?.items ?? []), ...page.nodes], pageInfo: page.pageInfo });
  };

  const refresh = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);

  return {
    items: unique([...(base?.nodes ?? []), ...(rest?.items ?? [])]),
    loading: result.fetching && !result.data,
    problem: failure ?? (result.error && !result.data ? problemOf(result.error) : null),
    hasMore: pageInfo?.hasNextPage ?? false,
    loadMore,
    refresh,
  };
}

/** A row that moved between two page requests comes twice. */
function unique<Item extends { id: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
