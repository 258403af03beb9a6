import {
  cacheExchange,
  Client,
  type ExecutionResult,
  fetchExchange,
  mapExchange,
  subscriptionExchange,
} from "urql";
import { createClient, type Client as Socket } from "graphql-ws";
import { httpEndpoint, socketEndpoint } from "./base";
import { Connection } from "./connection";
import { isSignedOut } from "./errors";
import { advance, backoffMs } from "./resume";
import { pageHeaders } from "./session";

export interface Api {
  client: Client;
  connection: Connection;
}

/** Closing codes after which asking again with the same session is pointless. */
const refusals = [4401, 4403];

export function createApi(onSignedOut: () => void): Api {
  const connection = new Connection();
  const socket = createSocket(connection, onSignedOut);
  const client = new Client({
    url: httpEndpoint(),
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetchOptions: { headers: pageHeaders, credentials: "same-origin" },
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isSignedOut(error)) onSignedOut();
        },
      }),
      cacheExchange,
      subscriptionExchange({ forwardSubscription: (operation) => forward(socket, operation) }),
      fetchExchange,
    ],
  });
  return { client, connection };
}

interface SubscribeOperation {
  query?: string | undefined;
  variables?: object | undefined;
}

interface Observer {
  next: (result: ExecutionResult) => void;
  error: (error: unknown) => void;
  complete: () => void;
}

function forward(socket: Socket, operation: SubscribeOperation) {
  return {
    subscribe: (sink: Observer) => {
      const payload = {
        query: operation.query ?? "",
        variables: { ...operation.variables } as Record<string, unknown>,
      };
      const unsubscribe = socket.subscribe(payload, {
        next: (result) => {
          advance(payload, result.data);
          sink.next(result as ExecutionResult);
        },
        error: (error) => sink.error(asError(error)),
        complete: () => sink.complete(),
      });
      return { unsubscribe };
    },
  };
}

/** The socket reports a lost connection as a close event, a refused operation as GraphQL errors. */
function asError(error: unknown): unknown {
  if (Array.isArray(error) || error instanceof Error) return error;
  return new Error("the connection to the gateway was closed");
}

/** The browser sends the session's cookie with the upgrade. */
function createSocket(connection: Connection, onSignedOut: () => void): Socket {
  return createClient({
    url: socketEndpoint(),
    retryAttempts: Infinity,
    retryWait: (attempt) => new Promise((wake) => setTimeout(wake, backoffMs(attempt))),
    shouldRetry: () => true,
    keepAlive: 20_000,
    lazyCloseTimeout: 1_000,
    on: {
      connecting: (retrying) => connection.set(retrying ? "waiting" : "connecting"),
      connected: () => connection.set("connected"),
      closed: (event) => {
        const code = event instanceof CloseEvent ? event.code : 0;
        connection.set(refusals.includes(code) ? "refused" : "waiting");
        if (refusals.includes(code)) onSignedOut();
      },
    },
  });
}
