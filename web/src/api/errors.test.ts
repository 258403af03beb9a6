import { CombinedError } from "urql";
import { describe, expect, it } from "vitest";
import { isPassing, isSignedOut, problemOf } from "./errors";

function refused(code: string, message: string, field?: string) {
  return new CombinedError({ graphQLErrors: [{ message, extensions: { code, field } }] });
}

describe("problemOf", () => {
  it("takes code, text and field from the first GraphQL error", () => {
    const problem = problemOf(refused("agent_key_taken", "an agent with the key a exists already", "key"));
    expect(problem).toEqual({
      code: "agent_key_taken",
      message: "An agent with the key a exists already.",
      advice: "Choose another key.",
      field: "key",
    });
  });

  it("gives general advice for a code it does not know", () => {
    expect(problemOf(refused("brand_new", "no")).advice).toContain("Try again");
  });

  it("tells a silent gateway from one that answered", () => {
    expect(problemOf(new CombinedError({ networkError: new Error("x") })).code).toBe("unreachable");
    const answered = new CombinedError({
      networkError: new Error("x"),
      response: { status: 502 },
    });
    expect(problemOf(answered).message).toContain("502");
  });

  it("reads HTTP 401 as a refused credential", () => {
    const error = new CombinedError({ networkError: new Error("x"), response: { status: 401 } });
    expect(isSignedOut(error)).toBe(true);
  });
});

it("resumes streams only after passing failures", () => {
  expect(isPassing(problemOf(refused("too_many_events", "slow")))).toBe(true);
  expect(isPassing(problemOf(refused("scope_missing", "no")))).toBe(false);
});
