// Sends a message and follows its run with graphql-ws: node follow.mjs <url> <token> <user> <text>.
// Prints the answer.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, user, text] = process.argv.slice(2);
const client = createClient({
  url: url.replace(/^http/, "ws"),
  connectionParams: { Authorization: `Bearer ${token}`, "X-GoClaw-User-Id": user },
  retryAttempts: 0,
  webSocketImpl: WebSocket,
});

async function first(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }
  throw new Error("no answer");
}

const sent = await first("mutation($t: String!) { sendMessage(input: { text: $t }) { id } }", {
  t: text,
});
const follow = `subscription($id: UUID!) { runEvents(runId: $id) {
  ... on RunText { offset text }
  ... on RunEnded { run { status } message { content } }
} }`;
let heard = "";
for await (const { data } of client.iterate({
  query: follow,
  variables: { id: sent.sendMessage.id },
})) {
  const { offset, text: piece, run, message } = data.runEvents;
  if (piece !== undefined) heard = heard.slice(0, offset) + piece;
  if (run) console.info(JSON.stringify({ status: run.status, heard, content: message?.content }));
}
await client.dispose();
