/** Where this page is mounted: "/" or the path prefix a proxy gives it. */
export const mountPath = new URL(document.baseURI).pathname;

export function httpEndpoint(): string {
  return new URL("graphql", document.baseURI).href;
}

export function socketEndpoint(): string {
  const url = new URL("graphql", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
