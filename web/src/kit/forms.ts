import type { Problem } from "../api/errors";

/**
 * Puts a refusal under the field it names. Gives the problem back when no field of the form is
 * meant, so that it can be shown by itself.
 */
export function placeProblem(
  form: { values: object; setFieldError: (field: string, error: string) => void },
  problem: Problem | null,
): Problem | null {
  if (!problem?.field) return problem;
  const field = toCamel(problem.field.split(".").at(-1) ?? "");
  if (!(field in form.values)) return problem;
  form.setFieldError(field, `${problem.message} ${problem.advice}`);
  return null;
}

/** Null for an empty text: the schema's way to say that something is not set. */
export function orNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

export function numberOrNull(value: number | string): number | null {
  return value === "" ? null : Number(value);
}

/** A wrong slug in plain words, null for a good one. */
export function slugError(value: string): string | null {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value)
    ? null
    : "Use small letters, digits and hyphens, such as my-agent";
}

function toCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
