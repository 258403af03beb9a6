import { Fieldset, NumberInput, SimpleGrid } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { AgentValues } from "./form";

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
