/** A form made from the JSON Schema of a tool's settings. */

export type SettingKind = "secret" | "text" | "number" | "switch" | "choices";
export type SettingValue = string | number | boolean | string[];

export interface Setting {
  name: string;
  label: string;
  kind: SettingKind;
  description: string;
  choices: string[];
  /** What holds when nothing is set. */
  standard: unknown;
}

export type SettingValues = Record<string, SettingValue>;

/** What stands for a stored secret. */
const mask = "***";

export function settingsOf(schema: unknown): Setting[] {
  return Object.entries(recordIn(schema, "properties")).map(([name, property]) => {
    const shape = { ...asRecord(property), ...firstThing(property) };
    return {
      name,
      label: sentenceCase(name),
      kind: kindOf(shape),
      description: typeof shape.description === "string" ? shape.description : "",
      choices: choicesOf(shape),
      standard: shape.default ?? null,
    };
  });
}

export function valuesOf(settings: readonly Setting[], stored: unknown): SettingValues {
  const set = asRecord(stored);
  return Object.fromEntries(settings.map((each) => [each.name, valueOf(each, set[each.name] ?? each.standard)]));
}

export function isStored({ name }: Setting, stored: unknown): boolean {
  return asRecord(stored)[name] === mask;
}

/** What to send: a secret that was not typed stays, one that is to be forgotten is null. */
export function changedSettings(
  settings: readonly Setting[],
  values: SettingValues,
  forgotten: ReadonlySet<string>,
): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const { name, kind } of settings) {
    const value = values[name];
    if (kind === "secret") {
      if (forgotten.has(name)) sent[name] = null;
      else if (value !== "") sent[name] = value;
    } else if (value !== "") sent[name] = value;
  }
  return sent;
}

/** The setting that an error is about, whose field is such as `settings.providers`. */
export function settingAt(settings: readonly Setting[], field: string | null): string | null {
  const steps = field?.split(".") ?? [];
  return settings.find(({ name }) => steps.includes(name))?.name ?? null;
}

function valueOf({ kind }: Setting, value: unknown): SettingValue {
  if (kind === "secret") return "";
  if (kind === "switch") return value === true;
  if (kind === "choices") return Array.isArray(value) ? value.map(String) : [];
  return typeof value === "number" || typeof value === "string" ? value : "";
}

function kindOf(shape: Record<string, unknown>): SettingKind {
  if (shape.writeOnly === true) return "secret";
  if (shape.type === "array") return "choices";
  if (shape.type === "boolean") return "switch";
  return shape.type === "integer" || shape.type === "number" ? "number" : "text";
}

function choicesOf(shape: Record<string, unknown>): string[] {
  const items = asRecord(shape.items);
  return Array.isArray(items.enum) ? items.enum.map(String) : [];
}

/** Of alternatives, the one that is not null. */
function firstThing(property: unknown): Record<string, unknown> {
  const { anyOf } = asRecord(property);
  if (!Array.isArray(anyOf)) return {};
  return asRecord(anyOf.find((each) => asRecord(each).type !== "null"));
}

function recordIn(value: unknown, name: string): Record<string, unknown> {
  return asRecord(asRecord(value)[name]);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function sentenceCase(name: string): string {
  const words = name.replaceAll("_", " ").replace(/\bapi\b/, "API");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
