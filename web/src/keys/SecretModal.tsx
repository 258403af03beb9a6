import { Modal, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { ShowOnce } from "./ShowOnce";

interface Props {
  title: string;
  opened: boolean;
  onClose: () => void;
  /** The form that leads to a secret. */
  children: (onSecret: (secret: string) => void) => ReactNode;
}

/** A form and then its secret, which only a click closes: it would be lost with the window. */
export function SecretModal({ title, opened, onClose, children }: Props) {
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => {
    setSecret(null);
    onClose();
  };
  return (
    <Modal
      closeOnClickOutside={secret === null}
      closeOnEscape={secret === null}
      onClose={close}
      opened={opened}
      size="lg"
      title={<Text fw={600}>{secret === null ? title : "Copy your new key"}</Text>}
      withCloseButton={secret === null}
    >
      {secret === null ? children(setSecret) : <ShowOnce onDone={close} secret={secret} />}
    </Modal>
  );
}
