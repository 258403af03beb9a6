import { Alert, Anchor, Badge, Button, Card, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useQuery } from "urql";
import { problemOf } from "../api/errors";
import { SecurityOverviewDocument } from "../gql/graphql";
import { AdminsOnly } from "../kit/AdminsOnly";
import { AlertIcon, CheckIcon, ShieldIcon } from "../kit/icons";
import { Loading } from "../kit/List";
import { Page } from "../kit/Page";
import { ProblemNotice } from "../kit/ProblemNotice";
import { useRefreshOn } from "../live/events";
import { type Finding, heading, levels, placeOf, summary, tally, worstFirst, worstOf } from "./findings";

export default function SecurityPage() {
  return (
    <AdminsOnly
      command="goclaw doctor"
      icon={<ShieldIcon size={40} />}
      title="Security"
      what="see how safe the gateway is"
    >
      <Overview />
    </AdminsOnly>
  );
}

function Overview() {
  const [{ data, error, fetching }, execute] = useQuery({ query: SecurityOverviewDocument });
  const again = () => execute({ requestPolicy: "network-only" });
  useRefreshOn(["api_key", "provider", "encryption"], again);
  const check = (
    <Button loading={fetching} onClick={again} variant="default">
      Check again
    </Button>
  );
  return (
    <Page
      actions={check}
      lead="What goclaw doctor finds in the gateway's settings and database. It calls nothing outside."
      title="Security"
      width={860}
    >
      {error && <ProblemNotice onRetry={again} problem={problemOf(error)} />}
      {!data && fetching && <Loading />}
      {data && <Findings findings={data.securityOverview.findings} />}
    </Page>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const worst = worstOf(findings);
  const calm = worst === "OK" || worst === "INFO";
  return (
    <>
      <Alert
        color={calm ? "claw" : levels[worst].color}
        icon={calm ? <CheckIcon /> : <AlertIcon />}
        role="status"
        title={summary(findings)}
      >
        {tally(findings)}
      </Alert>
      <Stack aria-label="Findings" gap="xs" role="list">
        {worstFirst(findings).map((finding) => (
          <FindingCard finding={finding} key={finding.subject} />
        ))}
      </Stack>
    </>
  );
}

function FindingCard({ finding }: { finding: Finding }) {
  const { status, text, fix } = finding;
  const { label, color } = levels[status];
  const place = placeOf(finding);
  return (
    <Card padding="sm" role="listitem" withBorder>
      <Group align="flex-start" gap="sm" wrap="nowrap">
        <Badge color={color} w={84}>
          {label}
        </Badge>
        <Stack flex={1} gap={4} miw={0} style={{ overflowWrap: "anywhere" }}>
          <Text size="sm">
            <Text component="span" fw={600} inherit>
              {heading(finding)}:
            </Text>{" "}
            {text}
          </Text>
          {fix !== "" && (
            <Text size="sm">
              <Text component="span" fw={600} inherit>
                What to do:
              </Text>{" "}
              {fix}
            </Text>
          )}
          {place && fix !== "" && (
            <Anchor component={Link} size="sm" to={place.to}>
              {place.label}
            </Anchor>
          )}
        </Stack>
      </Group>
    </Card>
  );
}
