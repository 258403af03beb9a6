import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The query editor at /graphql: a page of its own, because it needs an editor of its own.
export default defineConfig({
  root: "graphiql",
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../../goclaw/static/graphiql",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      // Directives to a compiler that is not used here.
      onLog: (level, log, handle) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
  worker: { format: "es" },
});
