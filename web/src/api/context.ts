import { createContext, use, useSyncExternalStore } from "react";
import type { WhoAmIQuery } from "../gql/graphql";
import type { Scope } from "../gql/graphql";
import type { ConnectionState } from "./connection";
import type { Api } from "./client";

export interface Signed {
  api: Api;
  me: WhoAmIQuery["me"];
  server: WhoAmIQuery["server"];
  signOut: () => void;
}

export const SignedContext = createContext<Signed | null>(null);

export function useSigned(): Signed {
  const signed = use(SignedContext);
  if (!signed) throw new Error("used outside of the signed-in page");
  return signed;
}

export function useConnection(): ConnectionState {
  const { connection } = useSigned().api;
  return useSyncExternalStore(connection.subscribe, connection.read);
}

export function useMay(scope: Scope): boolean {
  return may(useSigned().me.scopes, scope);
}

/** Whether every user's rows are shown: an administrator without a user sees them, and an owner. */
export function useSeesAll(): boolean {
  const { me } = useSigned();
  return me.isOwner || (me.userId === null && me.scopes.includes("ADMIN"));
}

/** Admin implies every scope, write implies read; the others imply nothing. */
export function may(scopes: readonly Scope[], scope: Scope): boolean {
  if (scopes.includes("ADMIN") || scopes.includes(scope)) return true;
  return scope === "READ" && scopes.includes("WRITE");
}
