import type { ProviderSource, ProviderType } from "../gql/graphql";

export const typeNames: Record<ProviderType, string> = {
  OPENAI_COMPAT: "OpenAI or compatible",
  ANTHROPIC_NATIVE: "Anthropic",
  GEMINI_NATIVE: "Google Gemini",
  GROQ: "Groq",
  DEEPSEEK: "DeepSeek",
  MISTRAL: "Mistral",
  XAI: "xAI",
  OLLAMA: "Ollama",
  LOCAL: "Inside the gateway",
};

export const sourceNames: Record<ProviderSource, string> = {
  API: "Added here",
  ENVIRONMENT: "From the environment",
  EMBEDDED: "Small local model",
};

interface Named {
  name: string;
  displayName: string | null;
  source: ProviderSource;
}

export function providerLabel({ name, displayName, source }: Named): string {
  const label = displayName === null || displayName === "" ? name : displayName;
  return source === "EMBEDDED" && !/local/i.test(label) ? `${label} (small local model)` : label;
}
