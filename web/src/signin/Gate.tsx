import { Center, Container, Loader } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Provider, useQuery } from "urql";
import { createApi, type Api } from "../api/client";
import { type Signed, SignedContext } from "../api/context";
import { isSignedOut, problemOf } from "../api/errors";
import { signOut } from "../api/session";
import { WhoAmIDocument } from "../gql/graphql";
import { ProblemNotice } from "../kit/ProblemNotice";
import { App } from "../shell/App";
import { SignIn } from "./SignIn";

/** Lets in whoever the gateway knows by the session's cookie, or everybody when it asks for none. */
export function Gate() {
  const [visit, setVisit] = useState(0);
  const [expired, setExpired] = useState(false);
  const inside = useRef(false);

  // Whatever was loaded before belongs to another visit.
  const begin = useCallback((over: boolean) => {
    inside.current = false;
    setExpired(over);
    setVisit((last) => last + 1);
  }, []);
  const onSignedOut = useCallback(() => {
    if (inside.current) begin(true);
  }, [begin]);
  const onSignedIn = useCallback(() => begin(false), [begin]);
  const leave = useCallback(() => {
    inside.current = false;
    void signOut().then(() => begin(false));
  }, [begin]);
  const onInside = useCallback(() => {
    inside.current = true;
  }, []);

  return (
    <Visit
      expired={expired}
      key={visit}
      onInside={onInside}
      onSignedIn={onSignedIn}
      onSignedOut={onSignedOut}
      signOut={leave}
    />
  );
}

interface VisitProps {
  expired: boolean;
  onInside: () => void;
  onSignedIn: () => void;
  onSignedOut: () => void;
  signOut: () => void;
}

function Visit({ onSignedOut, ...props }: VisitProps) {
  const api = useMemo(() => createApi(onSignedOut), [onSignedOut]);
  return (
    <Provider value={api.client}>
      <Entrance api={api} {...props} />
    </Provider>
  );
}

type EntranceProps = Omit<VisitProps, "onSignedOut"> & { api: Api };

function Entrance({ api, expired, onInside, onSignedIn, signOut }: EntranceProps) {
  const [{ data, error, fetching }, retry] = useQuery({
    query: WhoAmIDocument,
    requestPolicy: "network-only",
  });
  const signed = useMemo<Signed | null>(
    () => (data ? { api, ...data, signOut } : null),
    [api, data, signOut],
  );
  useEffect(() => {
    if (signed) onInside();
  }, [signed, onInside]);

  if (signed) {
    return (
      <SignedContext value={signed}>
        <App />
      </SignedContext>
    );
  }
  if (error && isSignedOut(error)) return <SignIn expired={expired} onSignedIn={onSignedIn} />;
  if (error && !fetching) {
    return (
      <Container pt="20vh" size="xs">
        <ProblemNotice onRetry={() => retry()} problem={problemOf(error)} />
      </Container>
    );
  }
  return (
    <Center h="100vh">
      <Loader aria-label="Connecting to the gateway" />
    </Center>
  );
}
