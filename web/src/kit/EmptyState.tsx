import { Box, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  /** What to do next. */
  children: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: Props) {
  return (
    <Stack align="center" gap="xs" maw={460} mx="auto" py={56} ta="center">
      <Box c="dimmed">{icon}</Box>
      <Title order={2}>{title}</Title>
      <Text c="dimmed" component="div" size="sm">
        {children}
      </Text>
      {action !== undefined && <Box mt="sm">{action}</Box>}
    </Stack>
  );
}
