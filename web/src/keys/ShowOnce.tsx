import { Alert, Button, Code, Group, Stack } from "@mantine/core";
import { CopySecret } from "../kit/Copy";

/** A secret that nobody will see again. */
export function ShowOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <Stack>
      <Alert color="blue" title="This is the only time it is shown">
        Put it where the program that uses it keeps its secrets. If it is lost, rotate the key to get another.
      </Alert>
      <Code aria-label="The new key" block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {secret}
      </Code>
      <Group justify="space-between">
        <CopySecret label="Copy key" text={secret} />
        <Button onClick={onDone} variant="default">
          I have stored it
        </Button>
      </Group>
    </Stack>
  );
}
