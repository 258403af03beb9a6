import { describe, expect, it } from "vitest";
import { makeProblem } from "../api/errors";
import { numberOrNull, orNull, placeProblem, slugError } from "./forms";

function formWith(...names: string[]) {
  const errors: Record<string, string> = {};
  return {
    errors,
    values: Object.fromEntries(names.map((name) => [name, ""])),
    setFieldError: (field: string, error: string) => {
      errors[field] = error;
    },
  };
}

describe("placeProblem", () => {
  it("puts a problem under its field, in either spelling", () => {
    const form = formWith("apiBase");
    expect(placeProblem(form, makeProblem("url_invalid", "bad address", "input.api_base"))).toBeNull();
    expect(form.errors.apiBase).toContain("Bad address.");
  });

  it("gives back what belongs to no field", () => {
    const problem = makeProblem("scope_missing", "no");
    expect(placeProblem(formWith("key"), problem)).toBe(problem);
    const other = makeProblem("invalid_input", "no", "elsewhere");
    expect(placeProblem(formWith("key"), other)).toBe(other);
  });
});

it("reads empty inputs as not set", () => {
  expect(orNull("  ")).toBeNull();
  expect(orNull(" a ")).toBe("a");
  expect(numberOrNull("")).toBeNull();
  expect(numberOrNull(0)).toBe(0);
});

it("knows a slug", () => {
  expect(slugError("my-agent-2")).toBeNull();
  expect(slugError("a")).toBeNull();
  for (const bad of ["", "-a", "a-", "My", "a b"]) expect(slugError(bad)).not.toBeNull();
});
