import { Button, Checkbox, Group, MultiSelect, NumberInput, PasswordInput, Stack, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import type { Problem } from "../api/errors";
import { type BuiltinToolItemFragment, UpdateBuiltinToolDocument } from "../gql/graphql";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import {
  changedSettings,
  isStored,
  type Setting,
  settingAt,
  settingsOf,
  type SettingValue,
  type SettingValues,
  valuesOf,
} from "./settings";

interface Props {
  tool: BuiltinToolItemFragment;
  onSaved: () => void;
}

export function SettingsForm({ tool, onSaved }: Props) {
  const settings = settingsOf(tool.settingsSchema);
  const [values, setValues] = useState<SettingValues>(() => valuesOf(settings, tool.settings));
  const [forgotten, setForgotten] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<Problem | null>(null);
  const update = useAction(UpdateBuiltinToolDocument);
  const wrong = settingAt(settings, problem?.field ?? null);

  const save = async () => {
    const sent = changedSettings(settings, values, forgotten);
    const outcome = await update.run({ name: tool.name, settings: sent });
    setProblem(outcome.problem);
    if (outcome.problem) return;
    notifications.show({ message: `${tool.displayName} saved` });
    onSaved();
  };
  const forget = (name: string, yes: boolean) => {
    setForgotten(new Set([...forgotten].filter((each) => each !== name).concat(yes ? [name] : [])));
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Stack>
        {settings.map((setting) => (
          <SettingInput
            error={setting.name === wrong ? `${problem?.message ?? ""} ${problem?.advice ?? ""}` : null}
            forgotten={forgotten.has(setting.name)}
            key={setting.name}
            onChange={(value) => setValues({ ...values, [setting.name]: value })}
            onForget={(yes) => forget(setting.name, yes)}
            setting={setting}
            stored={isStored(setting, tool.settings)}
            value={values[setting.name] ?? ""}
          />
        ))}
        {problem && wrong === null && <ProblemNotice problem={problem} />}
        <Group justify="flex-end">
          <Button loading={update.busy} type="submit">
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface InputProps {
  setting: Setting;
  value: SettingValue;
  error: string | null;
  stored: boolean;
  forgotten: boolean;
  onChange: (value: SettingValue) => void;
  onForget: (yes: boolean) => void;
}

function SettingInput({ setting, value, error, stored, forgotten, onChange, onForget }: InputProps) {
  const { label, description, choices, kind } = setting;
  const common = { label, description, error };
  switch (kind) {
    case "secret":
      return (
        <Stack gap={6}>
          <PasswordInput
            {...common}
            autoComplete="off"
            description={stored ? "One is stored and never shown. Leave it empty to keep it." : "None is stored yet. It is kept encrypted and never shown again."}
            disabled={forgotten}
            onChange={(event) => onChange(event.currentTarget.value)}
            value={String(value)}
          />
          {stored && (
            <Checkbox
              checked={forgotten}
              label="Forget the stored one"
              onChange={(event) => onForget(event.currentTarget.checked)}
            />
          )}
        </Stack>
      );
    case "choices":
      return (
        <MultiSelect
          {...common}
          data={choices}
          description={description || "In this order."}
          onChange={onChange}
          value={Array.isArray(value) ? value : []}
        />
      );
    case "switch":
      return <Switch {...common} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case "number":
      return <NumberInput {...common} onChange={onChange} value={typeof value === "number" ? value : ""} />;
    case "text":
      return <TextInput {...common} onChange={(event) => onChange(event.currentTarget.value)} value={String(value)} />;
  }
}
