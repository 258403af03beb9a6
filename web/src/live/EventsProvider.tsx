import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useSigned } from "../api/context";
import type { Problem } from "../api/errors";
import { follow } from "../api/follow";
import { EventsDocument } from "../gql/graphql";
import { EventsContext } from "./events";
import { Feed } from "./feed";

const kept = 500;

/** One subscription to everything the caller may see, shared by all pages. */
export function EventsProvider({ children }: { children: ReactNode }) {
  const { api, server } = useSigned();
  const feed = useMemo(() => new Feed(kept), []);
  const [problem, setProblem] = useState<Problem | null>(null);
  const after = server.eventsCursor;

  useEffect(
    () =>
      follow(api.client, EventsDocument, { after }, {
        onData: ({ events }) => {
          setProblem(null);
          feed.push(events);
        },
        onProblem: setProblem,
      }),
    [api, feed, after],
  );

  const value = useMemo(() => ({ feed, problem }), [feed, problem]);
  return <EventsContext value={value}>{children}</EventsContext>;
}
