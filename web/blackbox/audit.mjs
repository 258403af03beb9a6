// Audits a server against the GraphQL-over-HTTP specification: node audit.mjs <url> <token>.
// Prints a line for each failed MUST and SHOULD, and fails when there is one.
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);

const results = await auditServer({
  url,
  fetchFn: (address, init) =>
    fetch(address, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } }),
});
const failed = results.filter(({ status }) => status === "error" || status === "warn");
for (const { id, name, reason } of failed) console.error(`${id} ${name}: ${reason}`);
console.info(`${results.length} audits, ${failed.length} failed`);
process.exitCode = failed.length > 0 || results.length === 0 ? 1 : 0;
