import { Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useSeesAll } from "../api/context";
import { type ActivityEntryFragment, ActivityLogDocument, type ActivityLogQuery } from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { ActivityIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { actionName, detailsLine, kindName } from "./actions";
import { FilterBar } from "./FilterBar";
import { changed, type Filters, isFiltered, readFilters, variablesOf } from "./filters";

const pick = (data: ActivityLogQuery) => data.activity;
const noted = ["agent", "provider", "api_key", "session", "web_session", "user", "encryption"];

const columns: Column<ActivityEntryFragment>[] = [
  {
    label: "What",
    render: ({ action, entityType, entityId }) => (
      <>
        <Text fw={600} size="sm" title={action}>
          {actionName(action)}
        </Text>
        {entityId !== null && (
          <Text c="dimmed" lineClamp={1} size="xs" title={entityId}>
            {kindName(entityType ?? "")} {entityId}
          </Text>
        )}
      </>
    ),
  },
  { label: "Who", render: ({ actorId }) => actorId },
  { label: "From", render: ({ ipAddress }) => ipAddress ?? "–" },
  {
    label: "Details",
    render: ({ details }) => (
      <Text size="xs" style={{ overflowWrap: "anywhere" }}>
        {detailsLine(details) || "–"}
      </Text>
    ),
  },
  { label: "When", render: ({ createdAt }) => <Age at={createdAt} /> },
];

export default function ActivityPage() {
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => readFilters(params), [params]);
  const seesAll = useSeesAll();
  const clear = () => setParams({});
  return (
    <Page
      lead={seesAll ? "Who changed what, and what was refused." : "What you changed. Who signs in as administrator without a user id sees everybody's."}
      title="Activity"
    >
      <FilterBar
        anyone={seesAll}
        filters={filters}
        onChange={(change) => setParams(changed(filters, change), { replace: true })}
        onClear={clear}
      />
      <Entries filters={filters} key={params.toString()} />
    </Page>
  );
}

/** "The last hour" counts from when it was asked for. */
function Entries({ filters }: { filters: Filters }) {
  const [opened] = useState(Date.now);
  const variables = useMemo(() => variablesOf(filters, opened), [filters, opened]);
  const pages = usePages(ActivityLogDocument, variables, pick);
  useRefreshOn(noted, pages.refresh);
  return (
    <List {...pages} empty={isFiltered(filters) ? <NothingMatches /> : <NothingYet />}>
      {(entries) => <Rows caption="Activity" columns={columns} items={entries} keyOf={({ id }) => id} />}
    </List>
  );
}

function NothingMatches() {
  return (
    <EmptyState icon={<ActivityIcon size={40} />} title="Nothing matches">
      Choose other filters, or clear them.
    </EmptyState>
  );
}

function NothingYet() {
  return (
    <EmptyState icon={<ActivityIcon size={40} />} title="Nothing was changed yet">
      Changes to agents, providers and keys appear here.
    </EmptyState>
  );
}
