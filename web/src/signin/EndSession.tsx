import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMay, useSigned } from "../api/context";
import { EndWebSessionDocument, type WebSessionItemFragment } from "../gql/graphql";
import { Confirm } from "../kit/Confirm";
import { useAction } from "../kit/useAction";
import { browserName } from "./browsers";

interface Props {
  session: WebSessionItemFragment;
  onEnded: () => void;
}

export function EndSession({ session, onEnded }: Props) {
  const { me, signOut } = useSigned();
  const end = useAction(EndWebSessionDocument);
  const [asking, { open, close }] = useDisclosure(false);
  const may = useMay("WRITE");
  if (session.id === me.sessionId) {
    return (
      <Button onClick={signOut} size="compact-sm" variant="subtle">
        Sign out
      </Button>
    );
  }
  if (!may) return null;
  const name = browserName(session.userAgent);
  return (
    <>
      <Button
        aria-label={`End the session of ${name}`}
        color="red"
        onClick={open}
        size="compact-sm"
        variant="subtle"
      >
        End
      </Button>
      <Confirm
        label="End session"
        onClose={close}
        onConfirm={async () => {
          const { problem } = await end.run({ id: session.id });
          if (!problem) onEnded();
          return problem;
        }}
        opened={asking}
        title={`Sign ${name} out?`}
      >
        It is signed out within a second. Whoever has the token or key can sign in again.
      </Confirm>
    </>
  );
}
