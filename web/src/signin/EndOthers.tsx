import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMay, useSigned } from "../api/context";
import { EndOtherWebSessionsDocument } from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { useAction } from "../kit/useAction";

export function EndOthers({ onEnded }: { onEnded: () => void }) {
  const { me } = useSigned();
  const end = useAction(EndOtherWebSessionsDocument);
  const [asking, { open, close }] = useDisclosure(false);
  if (!useMay("WRITE")) return null;
  return (
    <>
      <Button color="red" onClick={open} variant="light">
        End all others
      </Button>
      <Confirm
        label="End all others"
        onClose={close}
        onConfirm={async () => {
          const { problem } = await end.run({});
          if (!problem) onEnded();
          return problem;
        }}
        opened={asking}
        title="Sign out everywhere else?"
      >
        Every browser but this one that is signed in {me.userId === null ? "without a user" : `as ${me.userId}`} is
        signed out within a second. Whoever has the token or key can sign in again: if it was stolen, replace
        it first.
      </Confirm>
    </>
  );
}
