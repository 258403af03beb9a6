import { describe, expect, it } from "vitest";
import { type AgentDetail, createInput, updateInput, valuesOf } from "./form";

const agent: AgentDetail = {
  id: "a1",
  key: "scribe",
  displayName: "Scribe",
  description: null,
  ownerId: "ada",
  model: "m",
  status: "ACTIVE",
  isDefault: false,
  mayEdit: true,
  provider: { id: "p1", name: "local", displayName: null, source: "EMBEDDED" },
  systemPrompt: "Write.",
  agentType: "OPEN",
  usesContextFiles: false,
  contextWindow: 8192,
  maxOutputTokens: 512,
  maxToolIterations: 20,
  temperature: 0.5,
  budgetMonthlyCents: 250,
  toolsConfig: { profile: "coding", byProvider: {} },
  otherConfig: { thinking_level: "high", theirs: 1 },
  createdAt: "2026-11-23T12:00:00Z",
  updatedAt: "2026-11-23T12:00:00Z",
  shares: [],
};

describe("createInput", () => {
  it("leaves empty limits to the server", () => {
    const input = createInput({ ...valuesOf(null), key: "a", providerId: "p1", model: " m " });
    expect(input).toEqual({
      key: "a",
      providerId: "p1",
      model: "m",
      displayName: null,
      description: null,
      systemPrompt: "",
      toolsConfig: {},
      otherConfig: {},
      agentType: "OPEN",
      usesContextFiles: false,
      isDefault: false,
    });
  });
});

describe("updateInput", () => {
  it("says nothing about what only its own switch changes", () => {
    const input = updateInput(agent, valuesOf(agent));
    expect(input).not.toHaveProperty("status");
    expect(input).not.toHaveProperty("isDefault");
    expect(input).not.toHaveProperty("usesContextFiles");
    expect(input).toMatchObject({ id: "a1", temperature: 0.5, budgetMonthlyCents: 250 });
  });

  it("clears what may be empty and keeps what may not", () => {
    const emptied = { ...valuesOf(agent), temperature: "", budgetMonthlyCents: "", maxOutputTokens: "" };
    const input = updateInput(agent, emptied);
    expect(input).toMatchObject({ temperature: null, budgetMonthlyCents: null });
    expect(input).not.toHaveProperty("maxOutputTokens");
  });

  it("keeps settings that it does not know", () => {
    const values = { ...valuesOf(agent), thinkingLevel: "", historyLimit: 20 };
    values.toolsConfig = { ...values.toolsConfig, deny: ["edit"] };
    expect(updateInput(agent, values)).toMatchObject({
      toolsConfig: { profile: "coding", byProvider: {}, deny: ["edit"] },
      otherConfig: { theirs: 1, history_limit: 20 },
    });
  });

  it("turns the switch into a status", () => {
    expect(updateInput(agent, { ...valuesOf(agent), active: false })).toMatchObject({ status: "INACTIVE" });
  });
});
