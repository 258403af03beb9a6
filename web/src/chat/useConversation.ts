import { useCallback, useState } from "react";
import { useClient, useQuery } from "urql";
import { type Problem, problemOf } from "../api/errors";
import { ConversationDocument, type MessageFieldsFragment } from "../gql/graphql";
import { useRefreshOn } from "../live/events";

interface Older {
  messages: MessageFieldsFragment[];
  /** Cursor of the oldest one loaded, null when there are none before. */
  before: string | null;
}

/** A stored conversation: its newest messages, and older ones on request. */
export function useConversation(sessionId: string | null) {
  const client = useClient();
  const [{ data, error, fetching }, execute] = useQuery({
    query: ConversationDocument,
    variables: { id: sessionId ?? "" },
    pause: sessionId === null,
  });
  const [older, setOlder] = useState<Older | null>(null);
  const [failure, setFailure] = useState<Problem | null>(null);
  const refresh = useCallback(() => {
    if (sessionId !== null) execute({ requestPolicy: "network-only" });
  }, [execute, sessionId]);
  useRefreshOn(["session", "run", "tool"], refresh);

  const newest = data?.session.messages;
  const before = older
    ? older.before
    : newest?.pageInfo.hasNextPage
      ? newest.pageInfo.endCursor
      : null;

  const loadOlder = async () => {
    if (sessionId === null || before === null) return;
    const result = await client.query(ConversationDocument, { id: sessionId, before }).toPromise();
    setFailure(result.error ? problemOf(result.error) : null);
    const page = result.data?.session.messages;
    if (!page) return;
    setOlder({
      messages: [...page.nodes, ...(older?.messages ?? [])],
      before: page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null,
    });
  };

  return {
    session: data?.session ?? null,
    messages: merge(older?.messages ?? [], newest?.nodes ?? []),
    runs: data?.runs.nodes ?? [],
    loading: sessionId !== null && fetching && !data,
    problem: failure ?? (error && !data ? problemOf(error) : null),
    hasOlder: before !== null,
    loadOlder,
    refresh,
  };
}

function merge(older: MessageFieldsFragment[], newest: MessageFieldsFragment[]): MessageFieldsFragment[] {
  const byId = new Map([...older, ...newest].map((message) => [message.id, message]));
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}
