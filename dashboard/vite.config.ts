// How the dashboard is built and developed. It is embedded in the gateway, so every path is absolute from the root.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mockGateway } from "./dev/mock-gateway.ts";

// With WATTWITNESS_URL the development server stands before a running gateway; without it, before the mock.
const gateway = process.env["WATTWITNESS_URL"];

export default defineConfig({
  plugins: [react(), ...(gateway ? [] : [mockGateway()])],
  build: { target: "es2023", manifest: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: gateway ? { proxy: { "/api": { target: gateway }, "/health": { target: gateway } } } : {},
  test: { include: ["src/**/*.test.ts", "dev/**/*.test.ts"], environment: "node" },
});
