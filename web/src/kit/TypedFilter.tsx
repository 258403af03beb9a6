import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

interface Props {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}

const settleMs = 400;

/** A text to filter by, which counts once the typing stops. */
export function TypedFilter({ label, placeholder, value, onChange }: Props) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  const settle = useDebouncedCallback(onChange, settleMs);
  if (value !== known) {
    setKnown(value);
    setText(value);
  }
  const type = (next: string) => {
    setText(next);
    settle(next.trim());
  };
  return (
    <TextInput
      aria-label={label}
      flex="1 1 150px"
      maw={{ sm: 240 }}
      onChange={(event) => type(event.currentTarget.value)}
      placeholder={placeholder}
      rightSection={text !== "" && <CloseButton aria-label={`Clear ${label}`} onClick={() => type("")} size="sm" />}
      value={text}
    />
  );
}
