import { Box, Group, Text, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import classes from "./Bars.module.css";

export interface Bar {
  key: string;
  /** Stands below, where there is room. */
  label: string;
  /** The whole bar in words, shown beside it. */
  words: string;
  /** One number for each part, from the bottom up. */
  values: readonly number[];
}

interface Props {
  /** What the chart shows; read in its place, as its table says the rest. */
  name: string;
  bars: readonly Bar[];
  parts: readonly { label: string; color: string }[];
  /** The value at the top edge. */
  top: number;
  format: (value: number) => string;
}

/** Stacked bars. Decoration for a table that says the same. */
export function Bars({ name, bars, parts, top, format }: Props) {
  const narrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  const every = Math.ceil(bars.length / (narrow ? 4 : 8));
  return (
    <Box>
      {parts.length > 1 && (
        <Group gap="md" mb={6}>
          {parts.map(({ label, color }) => (
            <Group gap={6} key={label}>
              <span className={classes.dot} style={{ background: color }} />
              <Text size="xs">{label}</Text>
            </Group>
          ))}
        </Group>
      )}
      <Box aria-label={name} className={classes.chart} role="img">
        <div className={classes.axis}>
          <Text c="dimmed" size="xs">
            {format(top)}
          </Text>
          <Text c="dimmed" size="xs">
            {format(top / 2)}
          </Text>
          <Text c="dimmed" size="xs">
            0
          </Text>
        </div>
        <div className={classes.plot}>
          {bars.map(({ key, words, values }) => (
            <Tooltip key={key} label={words} multiline style={{ whiteSpace: "pre-line" }}>
              <div className={classes.slot}>
                {values.map((value, place) => (
                  <div
                    key={parts[place]?.label}
                    style={{ background: parts[place]?.color, height: `${(100 * value) / top}%` }}
                  />
                ))}
              </div>
            </Tooltip>
          ))}
        </div>
        <span />
        <div className={classes.labels}>
          {bars.map(({ key, label }, place) => (
            <Text c="dimmed" className={classes.label} component="span" key={key} size="xs">
              {place % every === 0 ? label : ""}
            </Text>
          ))}
        </div>
      </Box>
    </Box>
  );
}
