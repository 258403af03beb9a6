import { useRef } from "react";
import type { Problem } from "../api/errors";
import { type RunFieldsFragment, SendMessageDocument } from "../gql/graphql";
import { useAction } from "../kit/useAction";

interface Target {
  sessionId: string | null;
  agentId: string | null;
}

interface Sent {
  run: RunFieldsFragment | null;
  problem: Problem | null;
}

/** Sends a message; the same text sent again after a failure is the same request. */
export function useSend({ sessionId, agentId }: Target) {
  const { run: execute, busy } = useAction(SendMessageDocument);
  const attempt = useRef<{ text: string; key: string } | null>(null);

  const send = async (text: string): Promise<Sent> => {
    if (attempt.current?.text !== text) attempt.current = { text, key: freshKey() };
    const { data, problem } = await execute({
      text,
      idempotencyKey: attempt.current.key,
      ...(sessionId === null ? { agentId } : { sessionId }),
    });
    if (data || problem?.code !== "unreachable") attempt.current = null;
    return { run: data?.sendMessage ?? null, problem };
  };

  return { send, busy };
}

/** crypto.randomUUID is missing where the page is not served over HTTPS. */
function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
