import { Anchor, Box, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Link } from "react-router";
import { BackIcon } from "./icons";

interface Props {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; label: string };
  width?: number;
  children: ReactNode;
}

export function Page({ title, lead, actions, back, width = 1120, children }: Props) {
  useDocumentTitle(title);
  return (
    <Box maw={width} mx="auto" p={{ base: "md", sm: "lg" }} w="100%">
      <Stack gap="lg">
        <Box>
          {back && (
            <Anchor c="dimmed" component={Link} display="inline-block" mb={4} size="sm" to={back.to}>
              <Group component="span" gap={4}>
                <BackIcon size={14} />
                {back.label}
              </Group>
            </Anchor>
          )}
          <Group align="flex-start" gap="sm" justify="space-between">
            <Box flex="1 1 260px" miw={0}>
              <Title order={1}>{title}</Title>
              {lead !== undefined && (
                <Text c="dimmed" component="div" mt={2} size="sm">
                  {lead}
                </Text>
              )}
            </Box>
            {actions}
          </Group>
        </Box>
        {children}
      </Stack>
    </Box>
  );
}

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · GoClaw`;
  }, [title]);
}
