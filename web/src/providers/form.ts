import type {
  CreateProviderInput,
  ProviderItemFragment,
  ProviderType,
  UpdateProviderInput,
} from "../gql/graphql";
import { orNull, slugError } from "../kit/forms";
import { typeNames } from "./names";

export interface ProviderValues {
  name: string;
  displayName: string;
  providerType: ProviderType;
  apiBase: string;
  /** What was typed; a stored key never comes back. */
  apiKey: string;
  enabled: boolean;
}

/** The types a caller can make. */
export const typeChoices = Object.entries(typeNames)
  .filter(([value]) => value !== "LOCAL")
  .map(([value, label]) => ({ value, label }));

export function valuesOf(provider: ProviderItemFragment | null): ProviderValues {
  return {
    name: provider?.name ?? "",
    displayName: provider?.displayName ?? "",
    providerType: provider?.providerType ?? "OPENAI_COMPAT",
    apiBase: provider?.apiBase ?? "",
    apiKey: "",
    enabled: provider?.enabled ?? true,
  };
}

export const validation = { name: slugError };

export function createInput(values: ProviderValues): CreateProviderInput {
  return {
    name: values.name,
    providerType: values.providerType,
    displayName: orNull(values.displayName),
    apiBase: orNull(values.apiBase),
    apiKey: orNull(values.apiKey),
    enabled: values.enabled,
  };
}

/** Says only what changed: the server wants the key again with a new address. */
export function updateInput(provider: ProviderItemFragment, values: ProviderValues): UpdateProviderInput {
  const key = orNull(values.apiKey);
  const apiBase = orNull(values.apiBase);
  return {
    id: provider.id,
    ...(values.name !== provider.name && { name: values.name }),
    ...(orNull(values.displayName) !== provider.displayName && { displayName: orNull(values.displayName) }),
    ...(apiBase !== provider.apiBase && { apiBase }),
    ...(key !== null && { apiKey: key }),
    ...(values.enabled !== provider.enabled && { enabled: values.enabled }),
  };
}

/** The address a vendor is reached at when none is given. */
export function defaultBase(type: ProviderType): string {
  switch (type) {
    case "OLLAMA":
      return "http://localhost:11434";
    case "OPENAI_COMPAT":
      return "https://api.openai.com/v1";
    default:
      return "The vendor's own";
  }
}
