import { mountPath } from "./base";

export interface Credential {
  /** Gateway token or API key; empty when the gateway asks for none. */
  token: string;
  /** User to act as; empty when the key is bound to one. */
  userId: string;
}

const slot = `goclaw:${mountPath}:credential`;

/** A credential lives as long as the tab: sessionStorage, never a cookie or a URL. */
export function loadCredential(): Credential | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(slot) ?? "null");
    return isCredential(stored) ? stored : null;
  } catch {
    // Storage blocked or not ours: the user signs in again.
    return null;
  }
}

export function saveCredential(credential: Credential | null): void {
  try {
    if (credential === null) sessionStorage.removeItem(slot);
    else sessionStorage.setItem(slot, JSON.stringify(credential));
  } catch {
    // Storage blocked: the credential lasts until the page is reloaded.
  }
}

export function credentialHeaders(credential: Credential | null): Record<string, string> {
  const headers: Record<string, string> = {};
  if (credential?.token) headers.Authorization = `Bearer ${credential.token}`;
  if (credential?.userId) headers["X-GoClaw-User-Id"] = credential.userId;
  return headers;
}

function isCredential(value: unknown): value is Credential {
  if (typeof value !== "object" || value === null) return false;
  const { token, userId } = value as Partial<Credential>;
  return typeof token === "string" && typeof userId === "string";
}
