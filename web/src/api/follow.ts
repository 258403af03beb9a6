import type { AnyVariables, Client, TypedDocumentNode } from "urql";
import { isPassing, type Problem, problemOf } from "./errors";
import { backoffMs, cursorOf } from "./resume";

interface Followed<Data> {
  onData: (data: Data) => void;
  /** The stream was refused or failed for good. */
  onProblem: (problem: Problem) => void;
  /** The server has said all there is. */
  onEnd?: () => void;
}

/**
 * Follows a subscription until told to stop, from its last cursor whenever it breaks off.
 * Lost sockets are retried below; here it is the server that ended the stream for a passing
 * reason, such as a reader that was too slow.
 */
export function follow<Data, Variables extends AnyVariables & { after?: string | null | undefined }>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { onData, onProblem, onEnd }: Followed<Data>,
): () => void {
  let after = variables.after;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: () => void = () => undefined;
  let stopped = false;

  const start = () => {
    const subscription = client
      .subscription(document, { ...variables, after }, { requestPolicy: "network-only" })
      .subscribe((result) => {
        if (stopped) return;
        if (result.error) {
          handle(problemOf(result.error));
        } else if (!result.hasNext) {
          // urql repeats the last message when the stream completes.
          onEnd?.();
        } else if (result.data) {
          attempt = 0;
          after = cursorOf(result.data) ?? after;
          onData(result.data);
        }
      });
    stop = () => subscription.unsubscribe();
  };

  const handle = (problem: Problem) => {
    if (!isPassing(problem)) {
      onProblem(problem);
      return;
    }
    stop();
    timer = setTimeout(start, backoffMs(attempt++));
  };

  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    stop();
  };
}
