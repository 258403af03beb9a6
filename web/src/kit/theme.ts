import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const claw: MantineColorsTuple = [
  "#e9f8f6",
  "#d3efeb",
  "#a6ded6",
  "#75ccc0",
  "#4dbdae",
  "#33b3a2",
  "#1f9d8d",
  "#0f7f73",
  "#0b675e",
  "#064f48",
];

export const theme = createTheme({
  colors: { claw },
  primaryColor: "claw",
  primaryShade: 7,
  autoContrast: true,
  defaultRadius: "md",
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.15rem" }, h3: { fontSize: "1rem" } } },
  components: {
    Badge: {
      defaultProps: { variant: "light", radius: "sm", tt: "none" },
      styles: { root: { flexShrink: 0, minWidth: "max-content" } },
    },
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: false } } },
  },
});

/** Grey, red and yellow with enough contrast to be read as small text (WCAG AA). */
export const readableColors: CSSVariablesResolver = ({ colors }) => ({
  variables: {
    "--mantine-color-red-filled": colors.red[8],
    "--mantine-color-red-filled-hover": colors.red[9],
  },
  light: {
    "--mantine-color-dimmed": "#5c636a",
    "--mantine-color-placeholder": "#6c737a",
    "--mantine-color-error": colors.red[9],
    "--mantine-color-yellow-light-color": "#7a4a00",
  },
  dark: {
    "--mantine-color-dimmed": colors.dark[1],
    "--mantine-color-placeholder": colors.dark[2],
    "--mantine-color-error": colors.red[4],
    "--mantine-color-red-light-color": colors.red[3],
  },
});
