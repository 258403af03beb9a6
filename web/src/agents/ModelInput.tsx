import { Autocomplete, Loader } from "@mantine/core";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { ModelChoicesDocument } from "../gql/graphql";

interface Props {
  /** Whose models to offer; null while none is chosen. */
  providerId: string | null;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  label?: string;
}

/** A model's name: one of those the provider lists, or any other. */
export function ModelInput({ providerId, value, onChange, error, label = "Model" }: Props) {
  const [{ data, error: failure, fetching }] = useQuery({
    query: ModelChoicesDocument,
    variables: { id: providerId ?? "" },
    pause: providerId === null || providerId === "",
    requestPolicy: "cache-first",
  });
  const known = data?.provider.id === providerId ? data.provider.models : [];
  const names = [...new Set(known.map(({ id }) => id))];

  return (
    <Autocomplete
      data={names}
      description={describe(providerId, names.length, fetching, failure && problemOf(failure).message)}
      error={error}
      label={label}
      limit={60}
      maxDropdownHeight={260}
      onChange={onChange}
      placeholder={names[0] ?? "Name of the model"}
      rightSection={fetching ? <Loader aria-label="Asking the provider" size="xs" /> : null}
      value={value}
    />
  );
}

function describe(
  providerId: string | null,
  count: number,
  fetching: boolean,
  failure: string | undefined,
): string {
  if (!providerId) return "Choose a provider first.";
  if (fetching) return "Asking the provider for its models.";
  if (failure !== undefined) return `The provider's list could not be read; type a name. ${failure}`;
  return count > 0 ? "Choose one or type another name." : "The provider lists none; type a name.";
}
