import { ActionIcon, Badge, Group, Menu, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useSeesAll, useSigned } from "../api/context";
import { UserIcon } from "../kit/icons";
import { scopeNames } from "../keys/scopes";

const roles = { VIEWER: "Viewer", OPERATOR: "Operator", ADMIN: "Administrator" };

export function UserMenu() {
  const { me, server, signOut } = useSigned();
  const seesAll = useSeesAll();
  const open = me.authentication === "OPEN";
  const who = me.userId ?? (me.role === "ADMIN" ? "system" : "no user");
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon aria-label={`Signed in as ${who}`} color="gray" size="lg" variant="subtle">
          <UserIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Stack gap={6} p="xs">
          <Group gap="xs" justify="space-between">
            <Text fw={600} truncate>
              {who}
            </Text>
            <Badge>{roles[me.role]}</Badge>
          </Group>
          <Text c="dimmed" size="xs">
            {open
              ? "This gateway asks for no token; it answers this machine only."
              : `May: ${me.scopes.map((scope) => scopeNames[scope].toLowerCase()).join(", ")}`}
          </Text>
          {me.userId === null && !open && (
            <Text c="dimmed" size="xs">
              No user id: chats cannot be started. Sign in again with one to chat.
            </Text>
          )}
          <Text c="dimmed" size="xs">
            Version {server.version}, {server.database}
          </Text>
        </Stack>
        {!open && (
          <>
            <Menu.Divider />
            <Menu.Item component={Link} to="/sessions">
              {seesAll ? "Signed-in browsers" : "My sessions"}
            </Menu.Item>
            <Menu.Item onClick={signOut}>Sign out</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
