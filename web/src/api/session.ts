import { mountPath } from "./base";
import { makeProblem, type Problem, type RestError, restProblem } from "./errors";

/**
 * The credential lives in a cookie that no script can read. This header shows the gateway that a call
 * comes from its own page: other sites' pages cannot send it.
 */
export const pageHeaders = { "X-GoClaw-Page": "1" };

const endpoint = new URL("v1/session", document.baseURI).href;

/** Exchanges a gateway token or API key for the cookie. */
export async function signIn(token: string, userId: string): Promise<Problem | null> {
  const headers: Record<string, string> = { ...pageHeaders, Authorization: `Bearer ${token}` };
  if (userId) headers["X-GoClaw-User-Id"] = userId;
  return call("POST", headers);
}

/** Ends the session at the gateway, which takes the cookie away. */
export async function signOut(): Promise<Problem | null> {
  return call("DELETE", pageHeaders);
}

async function call(method: string, headers: Record<string, string>): Promise<Problem | null> {
  try {
    const response = await fetch(endpoint, { method, headers, credentials: "same-origin" });
    return response.ok ? null : restProblem(response.status, await bodyOf(response));
  } catch (error) {
    // A token with characters no header can carry is a wrong token; anything else is the network.
    const unsendable = error instanceof TypeError && /header|ISO-8859-1|ByteString/i.test(error.message);
    return unsendable
      ? makeProblem("invalid_credential", "the token has characters that no token has")
      : makeProblem("unreachable", "the gateway did not answer");
  }
}

async function bodyOf(response: Response): Promise<RestError | null> {
  try {
    return (await response.json()) as RestError;
  } catch {
    // A proxy's page, not the gateway's answer: the status has to do.
    return null;
  }
}

/** Earlier versions of this page kept the token in the tab's storage. */
export function forgetStoredCredential(): void {
  for (const name of ["sessionStorage", "localStorage"] as const) {
    try {
      window[name].removeItem(`goclaw:${mountPath}:credential`);
    } catch {
      // Storage blocked: nothing was kept there.
    }
  }
}
