import { Fieldset, Select, Stack, Switch } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { AgentType } from "../gql/graphql";
import type { AgentValues } from "./form";

const kinds: { value: AgentType; label: string }[] = [
  { value: "OPEN", label: "Open: each user shapes their own" },
  { value: "PREDEFINED", label: "Predefined: the same for everybody" },
];

/** Who shapes the agent, and whether files do. */
export function Kind({ form }: { form: UseFormReturnType<AgentValues> }) {
  const predefined = form.values.agentType === "PREDEFINED";
  const choose = (kind: AgentType) => {
    form.setFieldValue("agentType", kind);
    if (kind === "PREDEFINED") form.setFieldValue("usesContextFiles", true);
  };
  return (
    <Fieldset legend="Character">
      <Stack>
        <Select
          allowDeselect={false}
          data={kinds}
          label="Kind"
          {...form.getInputProps("agentType")}
          onChange={(value) => choose(value as AgentType)}
        />
        <Switch
          description="Persona and rules in files, and a first conversation to get to know each user."
          label="Context files"
          {...form.getInputProps("usesContextFiles", { type: "checkbox" })}
        />
        {predefined && form.values.usesContextFiles && (
          <Switch
            description="Lets it rewrite SOUL.md in a chat with anybody, which changes it for everybody."
            label="Changes its own persona"
            {...form.getInputProps("selfEvolve", { type: "checkbox" })}
          />
        )}
      </Stack>
    </Fieldset>
  );
}
