import { useCallback, useState } from "react";
import { type TypedDocumentNode, useMutation } from "urql";
import { type Problem, problemOf } from "../api/errors";

interface Outcome<Data> {
  data: Data | null;
  problem: Problem | null;
}

/** A mutation with its input, as the schema's one `input` argument. */
export function useAction<Data, Input>(
  document: TypedDocumentNode<Data, { input: Input }>,
): { run: (input: Input) => Promise<Outcome<Data>>; busy: boolean } {
  const [busy, setBusy] = useState(false);
  const [, execute] = useMutation<Data>(document);
  const run = useCallback(
    async (input: Input): Promise<Outcome<Data>> => {
      setBusy(true);
      const { data, error } = await execute({ input });
      setBusy(false);
      return { data: data ?? null, problem: error ? problemOf(error) : null };
    },
    [execute],
  );
  return { run, busy };
}
