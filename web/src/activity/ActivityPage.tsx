import { Code, Text } from "@mantine/core";
import type { ActivityLogQuery } from "../gql/graphql";
import { ActivityLogDocument } from "../gql/graphql";
import { Age } from "../kit/Age";
import { EmptyState } from "../kit/EmptyState";
import { ActivityIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { type Column, Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";

const pick = (data: ActivityLogQuery) => data.activity;
const variables = { first: 50 };

type Entry = ActivityLogQuery["activity"]["nodes"][number];

const columns: Column<Entry>[] = [
  {
    label: "What",
    render: ({ action, entityType, entityId }) => (
      <>
        <Text fw={600} size="sm">
          {action}
        </Text>
        <Text c="dimmed" lineClamp={1} size="xs">
          {[entityType, entityId].filter(Boolean).join(" ")}
        </Text>
      </>
    ),
  },
  { label: "Who", render: ({ actorId, actorType }) => `${actorId} (${actorType})` },
  { label: "From", render: ({ ipAddress }) => ipAddress ?? "–", wideOnly: true },
  {
    label: "Details",
    wideOnly: true,
    render: ({ details }) =>
      details === null || details === undefined ? "–" : <Code>{JSON.stringify(details)}</Code>,
  },
  { label: "When", render: ({ createdAt }) => <Age at={createdAt} /> },
];

export default function ActivityPage() {
  const pages = usePages(ActivityLogDocument, variables, pick);
  return (
    <Page lead="Who changed what. Administrators see everybody's, others their own." title="Activity">
      <List
        {...pages}
        empty={
          <EmptyState icon={<ActivityIcon size={40} />} title="Nothing was changed yet">
            Changes to agents, providers and keys appear here.
          </EmptyState>
        }
      >
        {(entries) => <Rows caption="Activity" columns={columns} items={entries} keyOf={({ id }) => id} />}
      </List>
    </Page>
  );
}
