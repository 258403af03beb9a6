import type { AgentDetailQuery, AgentType, CreateAgentInput, UpdateAgentInput } from "../gql/graphql";
import { centsToDollars, dollarsToCents } from "../kit/format";
import { numberOrNull, orNull, slugError } from "../kit/forms";
import { asRecord, numberIn, textIn, type ToolChoice, toolChoice, toolsConfigOf, withoutEmpty } from "./configs";

export type AgentDetail = AgentDetailQuery["agent"];

type NumberField = number | string;

export interface AgentValues {
  key: string;
  displayName: string;
  description: string;
  providerId: string;
  model: string;
  systemPrompt: string;
  active: boolean;
  isDefault: boolean;
  agentType: AgentType;
  usesContextFiles: boolean;
  selfEvolve: boolean;
  contextWindow: NumberField;
  maxOutputTokens: NumberField;
  maxToolIterations: NumberField;
  temperature: NumberField;
  budgetMonthlyCents: NumberField;
  toolsConfig: ToolChoice;
  /** Empty is the model's own way. */
  thinkingLevel: string;
  historyLimit: NumberField;
}

export function valuesOf(agent: AgentDetail | null): AgentValues {
  return {
    key: agent?.key ?? "",
    displayName: agent?.displayName ?? "",
    description: agent?.description ?? "",
    providerId: agent?.provider.id ?? "",
    model: agent?.model ?? "",
    systemPrompt: agent?.systemPrompt ?? "",
    active: agent ? agent.status === "ACTIVE" : true,
    isDefault: agent?.isDefault ?? false,
    agentType: agent?.agentType ?? "OPEN",
    usesContextFiles: agent?.usesContextFiles ?? false,
    selfEvolve: asRecord(agent?.otherConfig).self_evolve === true,
    contextWindow: agent?.contextWindow ?? "",
    maxOutputTokens: agent?.maxOutputTokens ?? "",
    maxToolIterations: agent?.maxToolIterations ?? "",
    temperature: agent?.temperature ?? "",
    budgetMonthlyCents: centsToDollars(agent?.budgetMonthlyCents ?? null),
    toolsConfig: toolChoice(agent?.toolsConfig),
    thinkingLevel: textIn(agent?.otherConfig, "thinking_level"),
    historyLimit: numberIn(agent?.otherConfig, "history_limit"),
  };
}

export const validation = {
  key: slugError,
  providerId: (value: string) => (value === "" ? "Choose a provider" : null),
  model: (value: string) => (value.trim() === "" ? "Choose or type a model" : null),
};

/** An empty limit is left to the server's default. */
export function createInput(values: AgentValues): CreateAgentInput {
  const limits = Object.entries(limitsOf(values)).filter(([, value]) => value !== null);
  return {
    ...textsOf(values),
    ...configsOf(null, values),
    agentType: values.agentType,
    usesContextFiles: values.usesContextFiles,
    isDefault: values.isDefault,
    ...Object.fromEntries(limits),
  };
}

export function updateInput(agent: AgentDetail, values: AgentValues): UpdateAgentInput {
  const { contextWindow, maxOutputTokens, maxToolIterations, ...clearable } = limitsOf(values);
  return {
    id: agent.id,
    ...textsOf(values),
    ...configsOf(agent, values),
    ...clearable,
    ...(contextWindow !== null && { contextWindow }),
    ...(maxOutputTokens !== null && { maxOutputTokens }),
    ...(maxToolIterations !== null && { maxToolIterations }),
    ...(values.agentType !== agent.agentType && { agentType: values.agentType }),
    ...(values.usesContextFiles !== agent.usesContextFiles && { usesContextFiles: values.usesContextFiles }),
    ...(values.isDefault !== agent.isDefault && { isDefault: values.isDefault }),
    ...(values.active !== (agent.status === "ACTIVE") && {
      status: values.active ? ("ACTIVE" as const) : ("INACTIVE" as const),
    }),
  };
}

/** Settings of other programs stay as they are. */
function configsOf(agent: AgentDetail | null, values: AgentValues) {
  return {
    toolsConfig: toolsConfigOf(agent?.toolsConfig, values.toolsConfig),
    otherConfig: withoutEmpty({
      ...asRecord(agent?.otherConfig),
      thinking_level: orNull(values.thinkingLevel),
      history_limit: numberOrNull(values.historyLimit),
      self_evolve: values.selfEvolve ? true : null,
    }),
  };
}

function textsOf(values: AgentValues) {
  return {
    key: values.key,
    providerId: values.providerId,
    model: values.model.trim(),
    displayName: orNull(values.displayName),
    description: orNull(values.description),
    systemPrompt: values.systemPrompt.trim(),
  };
}

function limitsOf(values: AgentValues) {
  return {
    contextWindow: numberOrNull(values.contextWindow),
    maxOutputTokens: numberOrNull(values.maxOutputTokens),
    maxToolIterations: numberOrNull(values.maxToolIterations),
    temperature: numberOrNull(values.temperature),
    budgetMonthlyCents: dollarsToCents(values.budgetMonthlyCents),
  };
}
