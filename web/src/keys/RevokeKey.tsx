import { type ApiKeyItemFragment, RevokeApiKeyDocument } from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { useAction } from "../kit/useAction";
import { useNow } from "../kit/useNow";
import { Consequences } from "./Consequences";
import { revocation } from "./state";
import { useAgentNames } from "./useAgentNames";

interface Props {
  apiKey: ApiKeyItemFragment;
  opened: boolean;
  onClose: () => void;
  onRevoked: () => void;
}

export function RevokeKey({ apiKey, opened, onClose, onRevoked }: Props) {
  const revoke = useAction(RevokeApiKeyDocument);
  const names = useAgentNames();
  const now = useNow();
  return (
    <Confirm
      label="Revoke key"
      onClose={onClose}
      onConfirm={async () => {
        const { problem } = await revoke.run({ id: apiKey.id });
        if (!problem) onRevoked();
        return problem;
      }}
      opened={opened}
      title={`Revoke ${apiKey.name}?`}
    >
      <Consequences lines={revocation(apiKey, names, now)} />
    </Confirm>
  );
}
