import { Button, Group, Select, Text, TextInput } from "@mantine/core";
import { TypedFilter } from "../kit/TypedFilter";
import { actionChoices, actionName, type Choice, kindChoices, kindName } from "./actions";
import { daysError, type Filters, isFiltered, timeChoices } from "./filters";

interface Props {
  filters: Filters;
  /** Only who sees what others did has a choice. */
  anyone: boolean;
  onChange: (change: Partial<Filters>) => void;
  onClear: () => void;
}

export function FilterBar({ filters, anyone, onChange, onClear }: Props) {
  const { kind, action, time } = filters;
  return (
    <Group align="flex-start" aria-label="Filters" gap="sm" role="group">
      {anyone && (
        <TypedFilter
          label="Who"
          onChange={(who) => onChange({ who })}
          placeholder="Anybody (user id)"
          value={filters.who}
        />
      )}
      <Choose
        choices={withChosen(kindChoices, kind, kindName)}
        label="Kind of thing"
        onChange={(chosen) => onChange({ kind: chosen })}
        placeholder="All things"
        value={kind}
      />
      <Choose
        choices={withChosen(actionChoices(kind), action, actionName)}
        label="Action"
        onChange={(chosen) => onChange({ action: chosen })}
        placeholder="All actions"
        value={action}
      />
      <Choose
        choices={timeChoices}
        label="Time"
        onChange={(chosen) => onChange({ time: chosen })}
        placeholder="Any time"
        value={time}
      />
      {time === "days" && <Days filters={filters} onChange={onChange} />}
      {isFiltered(filters) && (
        <Button onClick={onClear} variant="subtle">
          Clear filters
        </Button>
      )}
    </Group>
  );
}

/** What the address says is shown, also when the page would not offer it. */
function withChosen(choices: Choice[], value: string, name: (value: string) => string): Choice[] {
  const known = value === "" || choices.some((choice) => choice.value === value);
  return known ? choices : [...choices, { value, label: name(value) }];
}

interface ChooseProps {
  label: string;
  placeholder: string;
  choices: Choice[];
  value: string;
  onChange: (value: string) => void;
}

function Choose({ label, placeholder, choices, value, onChange }: ChooseProps) {
  return (
    <Select
      aria-label={label}
      clearable
      clearButtonProps={{ "aria-label": `Clear ${label}` }}
      data={choices}
      flex="1 1 160px"
      maw={{ sm: 240 }}
      onChange={(chosen) => onChange(chosen ?? "")}
      placeholder={placeholder}
      value={value || null}
    />
  );
}

function Days({ filters, onChange }: Pick<Props, "filters" | "onChange">) {
  const { from, to } = filters;
  return (
    <>
      <Day label="First day" max={to} onChange={(day) => onChange({ from: day })} value={from} word="from" />
      <Day
        error={daysError(filters)}
        label="Last day"
        min={from}
        onChange={(day) => onChange({ to: day })}
        value={to}
        word="to"
      />
    </>
  );
}

interface DayProps {
  label: string;
  /** Stands before the day. */
  word: string;
  value: string;
  min?: string;
  max?: string;
  error?: string | null;
  onChange: (day: string) => void;
}

function Day({ label, word, value, min, max, error, onChange }: DayProps) {
  return (
    <TextInput
      aria-label={label}
      error={error}
      flex="1 1 160px"
      leftSection={
        <Text c="dimmed" size="sm">
          {word}
        </Text>
      }
      leftSectionWidth={46}
      maw={{ sm: 240 }}
      max={max}
      min={min}
      miw={0}
      onChange={(event) => onChange(event.currentTarget.value)}
      type="date"
      value={value}
    />
  );
}
