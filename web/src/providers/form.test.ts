import { describe, expect, it } from "vitest";
import type { ProviderItemFragment } from "../gql/graphql";
import { createInput, typeChoices, updateInput, valuesOf } from "./form";

const provider: ProviderItemFragment = {
  id: "p1",
  name: "openai",
  displayName: "OpenAI",
  providerType: "OPENAI_COMPAT",
  source: "API",
  apiBase: null,
  hasApiKey: true,
  enabled: true,
  createdAt: "2026-11-23T12:00:00Z",
  updatedAt: "2026-11-23T12:00:00Z",
};

describe("updateInput", () => {
  it("is empty when nothing changed", () => {
    expect(updateInput(provider, valuesOf(provider))).toEqual({ id: "p1" });
  });

  it("never clears a key that was left empty", () => {
    const input = updateInput(provider, { ...valuesOf(provider), apiBase: "https://other.example/v1" });
    expect(input).toEqual({ id: "p1", apiBase: "https://other.example/v1" });
  });

  it("sends a new key and a switch", () => {
    const values = { ...valuesOf(provider), apiKey: " sk-1 ", enabled: false };
    expect(updateInput(provider, values)).toEqual({ id: "p1", apiKey: "sk-1", enabled: false });
  });
});

it("makes empty texts null", () => {
  expect(createInput({ ...valuesOf(null), name: "groq", providerType: "GROQ" })).toEqual({
    name: "groq",
    providerType: "GROQ",
    displayName: null,
    apiBase: null,
    apiKey: null,
    enabled: true,
  });
});

it("does not offer the embedded type", () => {
  expect(typeChoices.map(({ value }) => value)).not.toContain("LOCAL");
});
