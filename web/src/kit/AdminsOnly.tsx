import type { ReactNode } from "react";
import { useMay, useSigned } from "../api/context";
import { CopyLine } from "./Copy";
import { EmptyState } from "./EmptyState";
import { Page } from "./Page";

interface Props {
  title: string;
  icon: ReactNode;
  /** What an administrator could do here, as in "Sign in … to {what}." */
  what: string;
  /** Does it on the gateway's machine, where nobody on the network is administrator. */
  command: string;
  children: ReactNode;
}

/** A page for administrators, and how to become one for all others. */
export function AdminsOnly({ title, icon, what, command, children }: Props) {
  const { me } = useSigned();
  if (useMay("ADMIN")) return children;
  return (
    <Page title={title} width={760}>
      {me.authentication === "OPEN" ? (
        <EmptyState action={<CopyLine text={command} />} icon={icon} title="Only on the machine itself">
          This gateway runs without a token, so nobody on the network may {what}. Whoever may use its machine
          can, with the command below. To do it on this page, start the gateway with GOCLAW_GATEWAY_TOKEN set
          and sign in with that token.
        </EmptyState>
      ) : (
        <EmptyState icon={icon} title="For administrators">
          Sign in with the gateway token or an administrator key to {what}.
        </EmptyState>
      )}
    </Page>
  );
}
