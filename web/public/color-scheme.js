// Runs before the first paint, so that a dark page does not flash white. Mantine takes over after.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("goclaw-color-scheme");
  } catch {
    // Storage is blocked: follow the system.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = chosen === "light" || chosen === "dark" ? chosen : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
