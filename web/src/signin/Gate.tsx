import { Center, Container, Loader } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { Provider, useQuery } from "urql";
import { createApi, type Api } from "../api/client";
import { type Signed, SignedContext } from "../api/context";
import { type Credential, loadCredential, saveCredential } from "../api/credential";
import { isSignedOut, problemOf } from "../api/errors";
import { WhoAmIDocument } from "../gql/graphql";
import { ProblemNotice } from "../kit/ProblemNotice";
import { App } from "../shell/App";
import { SignIn } from "./SignIn";

/** Lets in whoever the gateway knows, or everybody when it asks for no credential. */
export function Gate() {
  const [credential, setCredential] = useState(loadCredential);
  const [expired, setExpired] = useState(false);

  const change = useCallback((next: Credential | null) => {
    saveCredential(next);
    setExpired(false);
    setCredential(next);
  }, []);
  const onSignedOut = useCallback(() => {
    saveCredential(null);
    setCredential((current) => {
      if (current?.token) setExpired(true);
      return null;
    });
  }, []);

  const api = useMemo(() => createApi(credential, onSignedOut), [credential, onSignedOut]);
  const key = `${credential?.token ?? ""} ${credential?.userId ?? ""}`;

  return (
    <Provider value={api.client}>
      <Entrance api={api} expired={expired} key={key} onCredential={change} />
    </Provider>
  );
}

interface EntranceProps {
  api: Api;
  expired: boolean;
  onCredential: (credential: Credential | null) => void;
}

function Entrance({ api, expired, onCredential }: EntranceProps) {
  const [{ data, error, fetching }, retry] = useQuery({
    query: WhoAmIDocument,
    requestPolicy: "network-only",
  });
  const signed = useMemo<Signed | null>(
    () => (data ? { api, ...data, signOut: () => onCredential(null) } : null),
    [api, data, onCredential],
  );

  if (signed) {
    return (
      <SignedContext value={signed}>
        <App />
      </SignedContext>
    );
  }
  if (error && isSignedOut(error)) return <SignIn expired={expired} onCredential={onCredential} />;
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
