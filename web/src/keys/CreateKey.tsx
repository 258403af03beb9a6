import { SecretModal } from "./SecretModal";
import { KeyForm } from "./KeyForm";

interface Props {
  opened: boolean;
  onClose: () => void;
  onCreated: () => void;
}

export function CreateKey({ opened, onClose, onCreated }: Props) {
  return (
    <SecretModal onClose={onClose} opened={opened} title="New key">
      {(onSecret) => (
        <KeyForm
          onCreated={(secret) => {
            onSecret(secret);
            onCreated();
          }}
        />
      )}
    </SecretModal>
  );
}
