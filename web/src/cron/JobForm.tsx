import {
  Button,
  Checkbox,
  Group,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import { useQuery } from "urql";
import { agentName } from "../agents/names";
import type { Problem } from "../api/errors";
import {
  CreateCronJobDocument,
  CronAgentsDocument,
  type CronJobItemFragment,
  UpdateCronJobDocument,
} from "../gql/graphql";
import { placeProblem } from "../kit/forms";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useAction } from "../kit/useAction";
import { type CronValues, jobInput, newJob, unitChoices, validation, valuesOf } from "./form";
import { zones } from "./schedule";

const kinds = [
  { value: "CRON", label: "Calendar" },
  { value: "EVERY", label: "Interval" },
  { value: "AT", label: "Once" },
];
const places = [
  { value: "own", label: "In a chat of its own" },
  { value: "new", label: "In a new chat each time" },
  { value: "named", label: "In a chat with this key" },
];

interface Props {
  /** Null for a new one. */
  job: CronJobItemFragment | null;
  onDone: () => void;
}

export function JobForm({ job, onDone }: Props) {
  const create = useAction(CreateCronJobDocument);
  const update = useAction(UpdateCronJobDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [{ data }] = useQuery({ query: CronAgentsDocument });
  const form = useForm<CronValues>({
    initialValues: job ? valuesOf(job) : newJob,
    validate: validation,
  });

  const submit = async () => {
    const input = jobInput(form.values);
    const outcome = job ? await update.run({ ...input, id: job.id }) : await create.run(input);
    setProblem(placeProblem(form, outcome.problem));
    if (!outcome.problem) onDone();
  };

  return (
    <form noValidate onSubmit={form.onSubmit(() => void submit())}>
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput data-autofocus label="Name" maxLength={100} required {...form.getInputProps("name")} />
          <Select
            allowDeselect={false}
            data={data?.agents.nodes.map((agent) => ({ value: agent.id, label: agentName(agent) })) ?? []}
            label="Agent"
            required
            searchable
            {...form.getInputProps("agentId")}
          />
        </SimpleGrid>
        <Textarea
          autosize
          label="What the agent is asked"
          maxLength={32_000}
          maxRows={8}
          minRows={2}
          required
          {...form.getInputProps("message")}
        />
        <SegmentedControl aria-label="When" data={kinds} fullWidth {...form.getInputProps("kind")} />
        <When form={form} />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select allowDeselect={false} data={places} label="Where it speaks" {...form.getInputProps("place")} />
          {form.values.place === "named" && (
            <TextInput label="Key of the chat" maxLength={500} {...form.getInputProps("sessionKey")} />
          )}
        </SimpleGrid>
        <Delivery form={form} stored={job?.hasDeliverySecret ?? false} />
        {problem && <ProblemNotice problem={problem} />}
        <Group justify="flex-end">
          <Button loading={create.busy || update.busy} type="submit">
            {job ? "Save job" : "Create job"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type Form = UseFormReturnType<CronValues>;

function When({ form }: { form: Form }) {
  if (form.values.kind === "AT") {
    return (
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          description="On the clock of this browser."
          label="At"
          type="datetime-local"
          {...form.getInputProps("runAt")}
        />
        <Checkbox
          label="Delete the job once it ran well"
          mt={{ base: 0, xs: 44 }}
          {...form.getInputProps("deleteAfterRun", { type: "checkbox" })}
        />
      </SimpleGrid>
    );
  }
  if (form.values.kind === "EVERY") {
    return (
      <SimpleGrid cols={2}>
        <NumberInput allowNegative={false} label="Every" min={1} {...form.getInputProps("every")} />
        <Select allowDeselect={false} data={unitChoices} label="Unit" {...form.getInputProps("unit")} />
      </SimpleGrid>
    );
  }
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }}>
      <TextInput
        description="Minute, hour, day, month, weekday."
        label="Expression"
        maxLength={200}
        {...form.getInputProps("expression")}
      />
      <Select
        allowDeselect={false}
        data={zones()}
        description="Whose clock it goes by."
        label="Time zone"
        limit={60}
        searchable
        {...form.getInputProps("timezone")}
      />
    </SimpleGrid>
  );
}

function Delivery({ form, stored }: { form: Form; stored: boolean }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }}>
      <TextInput
        description="The answer is posted there as well."
        label="Deliver to URL (optional)"
        maxLength={2_000}
        {...form.getInputProps("deliveryUrl")}
      />
      {form.values.deliveryUrl !== "" && (
        <PasswordInput
          autoComplete="new-password"
          description="Posts are signed with it."
          label="Secret (optional)"
          maxLength={200}
          placeholder={stored ? "Stored; empty keeps it" : ""}
          {...form.getInputProps("deliverySecret")}
        />
      )}
    </SimpleGrid>
  );
}
