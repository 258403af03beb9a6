import type { CombinedError } from "urql";
import { advice } from "./advice";
import { browserLocale } from "./locale";
import { texts } from "./texts";

/** What the page shows when something was refused or failed. */
export interface Problem {
  code: string;
  /** What happened, in the server's words. */
  message: string;
  /** What the reader can do about it. */
  advice: string;
  /** The input that was wrong, when one was. */
  field: string | null;
}

const signedOutCodes = ["unauthenticated", "invalid_credential"];

/** Codes after which a stream may simply be asked for again with its last cursor. */
const passingCodes = ["too_many_events", "stopping", "database_unavailable", "unreachable"];

export function problemOf(error: CombinedError): Problem {
  const [first] = error.graphQLErrors;
  if (first) {
    const { code, field } = first.extensions;
    return makeProblem(
      typeof code === "string" ? code : "internal",
      first.message,
      typeof field === "string" ? field : null,
    );
  }
  const say = texts[browserLocale()];
  const status = statusOf(error);
  if (status === 401) return makeProblem("invalid_credential", say.refused);
  if (status === 413) return makeProblem("body_too_large", say.tooLarge);
  if (status === 429) return makeProblem("rate_limited", say.tooOften);
  if (status !== null && status >= 400) {
    return httpProblem(status);
  }
  return makeProblem("unreachable", say.unreachable);
}

/** The body of a refusal of `/v1`. */
export interface RestError {
  error?: unknown;
  code?: unknown;
}

export function restProblem(status: number, body: RestError | null): Problem {
  if (typeof body?.error === "string" && typeof body.code === "string") {
    return makeProblem(body.code, body.error);
  }
  return httpProblem(status);
}

function httpProblem(status: number): Problem {
  return makeProblem("http", texts[browserLocale()].http.replace("{status}", String(status)));
}

export function makeProblem(code: string, message: string, field: string | null = null): Problem {
  return { code, message: sentence(message), advice: advice(code), field };
}

export function isSignedOut(error: CombinedError): boolean {
  return signedOutCodes.includes(problemOf(error).code);
}

export function isPassing(problem: Problem): boolean {
  return passingCodes.includes(problem.code);
}

function statusOf(error: CombinedError): number | null {
  const response: unknown = error.response;
  if (typeof response !== "object" || response === null || !("status" in response)) return null;
  return typeof response.status === "number" ? response.status : null;
}

/** The catalogue's texts start small and end without a stop. */
function sentence(text: string): string {
  const trimmed = text.trim() || texts[browserLocale()].noReason;
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  if (/[.!?…。！？]$/.test(capital)) return capital;
  return capital + (/\p{Script=Han}/u.test(capital) ? "。" : ".");
}
