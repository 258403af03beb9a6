import { AppShell, Burger, Button, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useRef } from "react";
import { NavLink as RouterLink, useLocation } from "react-router";
import { useMay, useSigned } from "../api/context";
import {
  ActivityIcon,
  AgentIcon,
  ChatIcon,
  ClockIcon,
  KeyIcon,
  LiveIcon,
  ProviderIcon,
  RunsIcon,
  ShieldIcon,
  ToolIcon,
  TraceIcon,
  TreeIcon,
  UsageIcon,
} from "../kit/icons";
import { ConnectionBadge } from "./ConnectionBadge";
import { Logo } from "./Logo";
import { SchemeToggle } from "./SchemeToggle";
import { UserMenu } from "./UserMenu";

const places = [
  { to: "/chat", label: "Chat", icon: ChatIcon },
  { to: "/agents", label: "Agents", icon: AgentIcon },
  { to: "/providers", label: "Providers", icon: ProviderIcon },
  { to: "/cron", label: "Cron jobs", icon: ClockIcon },
  { to: "/tools", label: "Built-in tools", icon: ToolIcon },
  { to: "/keys", label: "API keys", icon: KeyIcon },
  { to: "/runs", label: "Runs", icon: RunsIcon },
  { to: "/delegations", label: "Delegations", icon: TreeIcon },
  { to: "/traces", label: "Traces", icon: TraceIcon },
  { to: "/usage", label: "Usage", icon: UsageIcon },
  { to: "/live", label: "Live", icon: LiveIcon },
  { to: "/activity", label: "Activity", icon: ActivityIcon },
];
const security = { to: "/security", label: "Security", icon: ShieldIcon };

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const main = useRef<HTMLElement>(null);

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 196, breakpoint: "sm", collapsed: { mobile: !opened } }}
    >
      <Button className="skip-link" onClick={() => main.current?.focus()}>
        Skip to the page
      </Button>
      <AppShell.Header>
        <Group gap="xs" h="100%" justify="space-between" px="md" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              aria-expanded={opened}
              aria-label={opened ? "Close the menu" : "Open the menu"}
              hiddenFrom="sm"
              onClick={toggle}
              opened={opened}
              size="sm"
            />
            <Logo />
            <Text component="span" fw={700} fz="lg">
              GoClaw
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ConnectionBadge />
            <SchemeToggle />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Pages" component="nav" p="xs">
        <AppShell.Section component={ScrollArea} grow>
          <Places onChoose={close} />
        </AppShell.Section>
        <ServerLine />
      </AppShell.Navbar>
      <AppShell.Main ref={main} style={{ outline: "none" }} tabIndex={-1}>
        {children}
      </AppShell.Main>
    </AppShell>
  );
}

function Places({ onChoose }: { onChoose: () => void }) {
  const { pathname } = useLocation();
  const shown = useMay("ADMIN") ? [...places, security] : places;
  return shown.map(({ to, label, icon: Icon }) => (
    <NavLink
      active={pathname === to || pathname.startsWith(`${to}/`)}
      component={RouterLink}
      key={to}
      label={label}
      leftSection={<Icon />}
      mb={2}
      onClick={onChoose}
      style={{ borderRadius: "var(--mantine-radius-md)" }}
      to={to}
    />
  ));
}

function ServerLine() {
  const { server } = useSigned();
  return (
    <Text c="dimmed" px="sm" py={6} size="xs">
      Version {server.version}
    </Text>
  );
}
