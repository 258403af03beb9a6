import { Anchor, Fieldset, Input, Select, SimpleGrid, Stack, TagsInput, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Link } from "react-router";
import { useQuery } from "urql";
import { BuiltinToolsDocument } from "../gql/graphql";
import { profiles } from "./configs";
import type { AgentValues } from "./form";

const groupNames = ["group:fs", "group:web", "group:media", "group:sessions", "group:automation", "group:subagents"];

export function Tools({ form }: { form: UseFormReturnType<AgentValues> }) {
  const [{ data }] = useQuery({ query: BuiltinToolsDocument });
  const names = [...groupNames, ...(data?.builtinTools.map(({ name }) => name) ?? [])];
  const input = (name: "allow" | "alsoAllow" | "deny") => ({
    clearable: true,
    clearButtonProps: { "aria-label": "Clear" },
    data: names,
    ...form.getInputProps(`toolsConfig.${name}`),
  });
  return (
    <Fieldset legend="Tools">
      <Stack>
        <Text c="dimmed" size="sm">
          Names such as read_file, groups such as group:fs, or patterns such as web_*. What is denied is denied,
          whatever else is said. Which tools there are is on{" "}
          <Anchor component={Link} size="sm" to="/tools">
            Built-in tools
          </Anchor>
          .
        </Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            allowDeselect={false}
            data={profiles}
            description="What it begins with"
            label="Profile"
            {...form.getInputProps("toolsConfig.profile")}
          />
          <TagsInput description="Besides the profile" label="Also allow" {...input("alsoAllow")} />
          <TagsInput description="With any here, none but these" label="Allow only" {...input("allow")} />
          <TagsInput description="Never these" label="Deny" {...input("deny")} />
        </SimpleGrid>
        {form.errors.toolsConfig !== undefined && <Input.Error>{form.errors.toolsConfig}</Input.Error>}
      </Stack>
    </Fieldset>
  );
}
