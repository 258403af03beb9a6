import { Button, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMay } from "../api/context";
import { CronJobsDocument, type CronJobsQuery } from "../gql/graphql";
import { EmptyState } from "../kit/EmptyState";
import { ClockIcon } from "../kit/icons";
import { List } from "../kit/List";
import { Page } from "../kit/Page";
import { Rows } from "../kit/Rows";
import { usePages } from "../kit/usePages";
import { useRefreshOn } from "../live/events";
import { columns } from "./columns";
import { JobForm } from "./JobForm";
import { JobMenu } from "./JobMenu";

const pick = (data: CronJobsQuery) => data.cronJobs;
const variables = { first: 50 };

export default function CronPage() {
  const mayWrite = useMay("WRITE");
  const pages = usePages(CronJobsDocument, variables, pick);
  const [creating, creator] = useDisclosure(false);
  useRefreshOn(["cron_job"], pages.refresh);
  const create = mayWrite && <Button onClick={creator.open}>New job</Button>;

  return (
    <Page actions={create} lead="What agents are asked at set times, in your name." title="Cron jobs">
      <List
        {...pages}
        empty={
          <EmptyState action={create} icon={<ClockIcon size={40} />} title="No jobs yet">
            Have an agent write a report every morning, or remind you of something once.
          </EmptyState>
        }
      >
        {(jobs) => (
          <Rows
            {...(mayWrite && {
              actions: (job: (typeof jobs)[number]) => <JobMenu job={job} onChanged={pages.refresh} />,
            })}
            caption="Cron jobs"
            columns={columns}
            items={jobs}
            keyOf={({ id }) => id}
          />
        )}
      </List>
      <Modal onClose={creator.close} opened={creating} size="lg" title={<Text fw={600}>New job</Text>}>
        <JobForm
          job={null}
          onDone={() => {
            creator.close();
            pages.refresh();
          }}
        />
      </Modal>
    </Page>
  );
}
