import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./page.css";

import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { type ExecutionResult, Kind, OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";

const url = new URL("../graphql", document.baseURI);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

const WELCOME = `# GoClaw. Signed in on the page, you are here too. Else open "Headers" below and put there:
#   { "Authorization": "Bearer <token>", "X-GoClaw-User-Id": "<you>" }

query Hello {
  me { userId role authentication }
  agents { nodes { key model status } }
}

subscription Live {
  events { at kind payload }
}
`;

const overHttp = createGraphiQLFetcher({
  url: url.href,
  enableIncrementalDelivery: false,
  // Shows the server that a call with the session's cookie comes from its own page.
  headers: { "X-GoClaw-Page": "1" },
});

// Each subscription has a socket of its own, opened with the headers of that moment.
const fetcher: Fetcher = (params, options) => {
  const subscribes = options?.documentAST?.definitions.some(
    (node) =>
      node.kind === Kind.OPERATION_DEFINITION &&
      node.operation === OperationTypeNode.SUBSCRIPTION &&
      (!params.operationName || node.name?.value === params.operationName),
  );
  if (!subscribes) return overHttp(params, options);
  const client = createClient({
    url: socketUrl.href,
    connectionParams: options?.headers ?? {},
    retryAttempts: 0,
  });
  const asked = { ...params, operationName: params.operationName ?? null };
  return client.iterate(asked) as AsyncIterable<unknown> as AsyncIterable<ExecutionResult>;
};

const root = document.getElementById("graphiql");
if (root) {
  createRoot(root).render(
    <GraphiQL fetcher={fetcher} defaultQuery={WELCOME} defaultEditorToolsVisibility="headers" />,
  );
}
