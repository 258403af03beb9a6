import { Card, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";

export interface Column<Item> {
  label: string;
  render: (item: Item) => ReactNode;
  /** Numbers stand at the right edge. */
  numeric?: boolean;
  /** Not shown on a narrow screen. */
  wideOnly?: boolean;
}

interface Props<Item> {
  caption: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
  /** The first column names the row. */
  columns: readonly Column<Item>[];
  actions?: (item: Item) => ReactNode;
}

/** A table, or a stack of cards where a table would not fit. */
export function Rows<Item>(props: Props<Item>) {
  const narrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  return narrow ? <Cards {...props} /> : <WideTable {...props} />;
}

function WideTable<Item>({ caption, items, keyOf, columns, actions }: Props<Item>) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table aria-label={caption} highlightOnHover verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ label, numeric }) => (
              <Table.Th key={label} scope="col" style={{ whiteSpace: "nowrap" }} ta={numeric ? "right" : "left"}>
                {label}
              </Table.Th>
            ))}
            {actions && <Table.Td aria-label="Actions" />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={keyOf(item)}>
              {columns.map(({ label, render, numeric }) => (
                <Table.Td
                  key={label}
                  style={numeric ? { fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" } : undefined}
                  ta={numeric ? "right" : "left"}
                >
                  {render(item)}
                </Table.Td>
              ))}
              {actions && <Table.Td ta="right">{actions(item)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Cards<Item>({ caption, items, keyOf, columns, actions }: Props<Item>) {
  const [first, ...others] = columns;
  return (
    <Stack aria-label={caption} gap="sm" role="list">
      {items.map((item) => (
        <Card key={keyOf(item)} padding="sm" role="listitem" withBorder>
          <Group align="flex-start" gap="xs" justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>{first?.render(item)}</div>
            {actions && <div style={{ flexShrink: 0 }}>{actions(item)}</div>}
          </Group>
          <Stack gap={4} mt="xs">
            {others
              .filter(({ wideOnly }) => !wideOnly)
              .map(({ label, render }) => (
                <Group gap="md" justify="space-between" key={label} wrap="nowrap">
                  <Text c="dimmed" size="xs" style={{ flexShrink: 0 }}>
                    {label}
                  </Text>
                  <Text component="div" size="sm" style={{ minWidth: 0 }} ta="right">
                    {render(item)}
                  </Text>
                </Group>
              ))}
          </Stack>
        </Card>
      ))}
    </Stack>
  );
}
