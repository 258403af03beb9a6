import { Fieldset, NumberInput, Select, SimpleGrid } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { AgentValues } from "./form";

const thinkingLevels = [
  { value: "", label: "The model's own way" },
  { value: "off", label: "Off" },
  { value: "low", label: "Low" },
  { value: "medium", label: "Medium" },
  { value: "high", label: "High" },
];

export function Limits({ form }: { form: UseFormReturnType<AgentValues> }) {
  return (
    <Fieldset legend="Limits">
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          allowDecimal={false}
          description="Longest answer, in tokens"
          label="Answer length"
          min={1}
          placeholder="Server's default"
          thousandSeparator=","
          {...form.getInputProps("maxOutputTokens")}
        />
        <NumberInput
          allowDecimal={false}
          description="What the model can take in, in tokens"
          label="Context window"
          min={1}
          placeholder="Server's default"
          thousandSeparator=","
          {...form.getInputProps("contextWindow")}
        />
        <NumberInput
          allowDecimal={false}
          description="Rounds of tool use in one answer"
          label="Tool rounds"
          min={1}
          placeholder="Server's default"
          {...form.getInputProps("maxToolIterations")}
        />
        <NumberInput
          decimalScale={2}
          description="0 is steady, 2 is wild; empty is the model's own"
          label="Temperature"
          max={2}
          min={0}
          placeholder="Model's default"
          step={0.1}
          {...form.getInputProps("temperature")}
        />
        <NumberInput
          allowDecimal={false}
          description="Messages of a chat it is told, 200 if empty"
          label="History"
          max={2000}
          min={1}
          placeholder="200"
          {...form.getInputProps("historyLimit")}
        />
        <Select
          allowDeselect={false}
          data={thinkingLevels}
          description="For models that can; more costs more"
          label="Thinking"
          {...form.getInputProps("thinkingLevel")}
        />
        <NumberInput
          decimalScale={2}
          description="Dollars a month; empty for no limit"
          label="Budget"
          min={0}
          placeholder="No limit"
          prefix="$"
          thousandSeparator=","
          {...form.getInputProps("budgetMonthlyCents")}
        />
      </SimpleGrid>
    </Fieldset>
  );
}
