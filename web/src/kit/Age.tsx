import { formatAge, formatDateTime } from "./format";
import { useNow } from "./useNow";

/** A moment as its age; the exact time is the tooltip. */
export function Age({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} style={{ whiteSpace: "nowrap" }} title={formatDateTime(at)}>
      {formatAge(at, now)}
    </time>
  );
}
