import type { MessageFieldsFragment } from "../gql/graphql";

/** A tool call and what came of it. */
export interface ToolStep {
  callId: string;
  name: string;
  /** JSON text, as the model wrote it. */
  arguments: string;
  /** Null until it is known. */
  result: string | null;
  isError: boolean;
  durationMs: number | null;
}

export type StepState = "working" | "done" | "failed" | "unknown";

/** A call without a result is at work while its run goes on; afterwards nobody knows. */
export function stateOf({ result, isError }: ToolStep, goesOn: boolean): StepState {
  if (result === null) return goesOn ? "working" : "unknown";
  return isError ? "failed" : "done";
}

interface StoredCall {
  id: string;
  name: string;
  arguments: string;
}

/** The calls that a stored message asked for, with the results that are among `results`. */
export function storedSteps(
  message: MessageFieldsFragment,
  results: ReadonlyMap<string, MessageFieldsFragment>,
): ToolStep[] {
  if (!Array.isArray(message.toolCalls)) return [];
  return message.toolCalls.filter(isCall).map((call) => {
    const result = results.get(callKey(message.runId, call.id));
    return {
      callId: call.id,
      name: call.name,
      arguments: call.arguments,
      result: result?.content ?? null,
      isError: result?.isError ?? false,
      durationMs: result ? Math.max(0, Date.parse(result.createdAt) - Date.parse(message.createdAt)) : null,
    };
  });
}

/** A result whose call is on an older page. */
export function loneStep(result: MessageFieldsFragment): ToolStep {
  return {
    callId: result.toolCallId ?? result.id,
    name: result.name ?? "a tool",
    arguments: "",
    result: result.content,
    isError: result.isError,
    durationMs: null,
  };
}

/** Calls are told apart within their run. */
export function callKey(runId: string | null, callId: string | null): string {
  return `${runId ?? ""} ${callId ?? ""}`;
}

/** JSON text with its lines broken; anything else as it is, such as JSON that was cut off. */
export function readable(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function isCall(value: unknown): value is StoredCall {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    "name" in value &&
    typeof value.name === "string" &&
    "arguments" in value &&
    typeof value.arguments === "string"
  );
}
