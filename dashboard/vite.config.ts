// How the dashboard is built and developed. It is embedded in the gateway, so every path is absolute from the root.
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The development server stands before a running gateway.
const gateway = process.env["WATTWITNESS_URL"] ?? "http://127.0.0.1:8000";
const ours = ["/api", "/ota", "/health", "/docs", "/problems"];

export default defineConfig({
  plugins: [react(), lingui({ failOnMissing: true, failOnCompileError: true })],
  build: {
    target: "es2023",
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What every page begins with comes in one file: in two dozen small ones it is compressed worse. The entry, which waits for texts, is another: no page
    // may wait for it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "frame", tags: ["$initial"], test: /\/(?:node_modules|src\/(?!main\.tsx))/ }] } } },
  },
  server: { proxy: Object.fromEntries(ours.map((path) => [path, { target: gateway }])) },
  test: { include: ["src/**/*.test.ts"], environment: "node", setupFiles: ["src/util/text.setup.ts"] },
});
