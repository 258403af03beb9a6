import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = "http://127.0.0.1:18790";

export default defineConfig({
  // Relative, because the server may stand behind a path prefix; it writes <base href>.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../goclaw/static",
    emptyOutDir: true,
    target: "es2022",
    // Everything must come from 'self': no data: URLs.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|react-router|scheduler)\// },
            { name: "kit", test: /node_modules\/(@mantine|@floating-ui)\// },
            { name: "graphql", test: /node_modules\/(urql|@urql|wonka|graphql-ws|@0no-co)\// },
          ],
        },
      },
    },
  },
  server: {
    // `changeOrigin` off: the gateway takes cookies from pages of its own host alone.
    proxy: { "/graphql": { target: gateway, ws: true }, "/v1": { target: gateway } },
  },
  test: { include: ["src/**/*.test.ts"] },
});
