import { ActionIcon, Box, Group, Textarea, Tooltip } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { SendIcon, StopIcon } from "../kit/icons";

interface Props {
  /** Why nothing can be sent, if so. */
  closed: string | null;
  answering: boolean;
  /** Whether the run that answers takes more meanwhile. */
  takesMore: boolean;
  sending: boolean;
  /** True when it was taken; false leaves the text in place. */
  onSend: (text: string) => Promise<boolean>;
  onStop: () => void;
}

const placeholders = {
  idle: "Write a message",
  more: "Write more; the agent reads it before its next step",
  next: "Write on; it can be sent when this answer has ended",
};

export function Composer({ closed, answering, takesMore, sending, onSend, onStop }: Props) {
  const [text, setText] = useState("");
  const written = text.trim() !== "";
  const ready = written && !sending && closed === null && (!answering || takesMore);

  const send = async () => {
    if (!ready) return;
    const draft = text;
    setText("");
    if (!(await onSend(draft.trim()))) setText((typed) => (typed === "" ? draft : typed));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };

  return (
    <Box
      component="form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Textarea
        aria-label="Message"
        autoFocus
        autosize
        disabled={closed !== null}
        maxRows={8}
        minRows={1}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        placeholder={closed ?? placeholders[!answering ? "idle" : takesMore ? "more" : "next"]}
        radius="lg"
        rightSection={
          <Group gap={6} wrap="nowrap">
            {answering && (
              <Tooltip label="Stop the answer">
                <ActionIcon aria-label="Stop the answer" color="red" onClick={onStop} radius="xl" size={32}>
                  <StopIcon />
                </ActionIcon>
              </Tooltip>
            )}
            {(!answering || written) && (
              <ActionIcon
                aria-label="Send"
                disabled={!ready}
                loading={sending}
                radius="xl"
                size={32}
                type="submit"
              >
                <SendIcon />
              </ActionIcon>
            )}
          </Group>
        }
        rightSectionProps={{ style: { alignItems: "flex-end", paddingBottom: 5 } }}
        rightSectionWidth={answering && written ? 84 : 46}
        size="md"
        value={text}
      />
    </Box>
  );
}
