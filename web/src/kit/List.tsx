import { Button, Group, Skeleton, Stack } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Problem } from "../api/errors";
import { ProblemNotice } from "./ProblemNotice";

interface Props<Item> {
  items: readonly Item[];
  loading: boolean;
  problem: Problem | null;
  hasMore: boolean;
  loadMore: () => Promise<void>;
  refresh: () => void;
  empty: ReactNode;
  children: (items: readonly Item[]) => ReactNode;
}

/** The states of a list: loading, failed, empty, there. */
export function List<Item>(props: Props<Item>) {
  const { items, loading, problem, empty, refresh, children } = props;
  if (loading) return <Loading />;
  if (problem && items.length === 0) return <ProblemNotice onRetry={refresh} problem={problem} />;
  if (items.length === 0) return empty;
  return (
    <Stack>
      {children(items)}
      {problem && <ProblemNotice onRetry={() => void props.loadMore()} problem={problem} />}
      {props.hasMore && <MoreButton loadMore={props.loadMore} />}
    </Stack>
  );
}

function MoreButton({ loadMore }: { loadMore: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const more = async () => {
    setBusy(true);
    await loadMore();
    setBusy(false);
  };
  return (
    <Group justify="center">
      <Button loading={busy} onClick={() => void more()} variant="default">
        Load more
      </Button>
    </Group>
  );
}

export function Loading() {
  return (
    <Stack aria-busy="true" aria-label="Loading" gap="sm" role="status">
      {[0, 1, 2, 3].map((line) => (
        <Skeleton height={44} key={line} />
      ))}
    </Stack>
  );
}
