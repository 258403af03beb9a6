import type { CreateCronJobInput, CronJobItemFragment, ScheduleKind } from "../gql/graphql";
import { orNull } from "../kit/forms";
import { browserZone, localTime } from "./schedule";

export type Place = "own" | "named" | "new";

export interface CronValues {
  name: string;
  agentId: string;
  message: string;
  kind: ScheduleKind;
  runAt: string;
  every: number | string;
  unit: string;
  expression: string;
  timezone: string;
  place: Place;
  sessionKey: string;
  deliveryUrl: string;
  deliverySecret: string;
  deleteAfterRun: boolean;
}

export const newJob: CronValues = {
  name: "",
  agentId: "",
  message: "",
  kind: "CRON",
  runAt: "",
  every: 1,
  unit: "3600",
  expression: "0 9 * * 1-5",
  timezone: browserZone,
  place: "own",
  sessionKey: "",
  deliveryUrl: "",
  deliverySecret: "",
  deleteAfterRun: false,
};

export const unitChoices = [
  { value: "60", label: "Minutes" },
  { value: "3600", label: "Hours" },
  { value: "86400", label: "Days" },
];

export function valuesOf(job: CronJobItemFragment): CronValues {
  const everyS = job.everyS ?? 3_600;
  const unit = [86_400, 3_600].find((size) => everyS % size === 0) ?? 60;
  return {
    ...newJob,
    name: job.name,
    agentId: job.agentId,
    message: job.message,
    kind: job.kind,
    runAt: localTime(job.runAt),
    every: everyS / unit,
    unit: String(unit),
    expression: job.expression ?? newJob.expression,
    timezone: job.kind === "CRON" ? job.timezone : browserZone,
    place: job.isolated ? "new" : job.sessionKey === null ? "own" : "named",
    sessionKey: job.sessionKey ?? "",
    deliveryUrl: job.deliveryUrl ?? "",
    deleteAfterRun: job.deleteAfterRun,
  };
}

export const validation = {
  name: (value: string) => (orNull(value) ? null : "Give it a name"),
  agentId: (value: string) => (value ? null : "Choose an agent"),
  message: (value: string) => (orNull(value) ? null : "Say what the agent is to be asked"),
  runAt: (value: string, { kind }: CronValues) =>
    kind === "AT" && value === "" ? "Choose when" : null,
  every: (value: number | string, { kind }: CronValues) =>
    kind === "EVERY" && !(Number(value) > 0) ? "Say how often" : null,
  expression: (value: string, { kind }: CronValues) =>
    kind === "CRON" && value.trim().split(/\s+/).length !== 5
      ? "Five fields: minute, hour, day, month, weekday"
      : null,
  sessionKey: (value: string, { place }: CronValues) =>
    place === "named" && !orNull(value) ? "Name the session" : null,
  deliverySecret: (value: string) =>
    value === "" || value.length >= 16 ? null : "At least 16 characters",
};

/** What is sent; a secret that was left empty stays as it is. */
export function jobInput(values: CronValues): CreateCronJobInput {
  const secret = values.deliverySecret === "" ? {} : { deliverySecret: values.deliverySecret };
  return {
    name: values.name.trim(),
    agentId: values.agentId,
    message: values.message,
    kind: values.kind,
    ...schedule(values),
    sessionKey: values.place === "named" ? values.sessionKey.trim() : null,
    isolated: values.place === "new",
    deleteAfterRun: values.kind === "AT" && values.deleteAfterRun,
    deliveryUrl: orNull(values.deliveryUrl),
    ...secret,
  };
}

function schedule({ kind, runAt, every, unit, expression, timezone }: CronValues) {
  if (kind === "AT") return { runAt: new Date(runAt).toISOString() };
  if (kind === "EVERY") return { everyS: Math.round(Number(every) * Number(unit)) };
  return { expression: expression.trim(), timezone };
}
