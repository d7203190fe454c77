// The browser tests run against gateways that are there already: WATTWITNESS_URL names the one that anyone may read, else it is looked for where `serve` listens
// by default. What else a test needs, support/environment.ts asks for.

import { defineConfig } from "@playwright/test";
import { launchOptions } from "./e2e/chromium.mjs";

const baseURL = process.env["WATTWITNESS_URL"] ?? "http://127.0.0.1:8000";

/** Tests that change the one private park that they share: never two files of them at a time. */
const administration = /\/(administration|session|installations|keys|audit|roles)[^/]*\.spec\.ts$/;

export default defineConfig({
  testDir: "e2e",
  outputDir: "node_modules/.cache/playwright",
  forbidOnly: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: { baseURL, launchOptions, locale: "en-GB", trace: "off" },
  projects: [
    { name: "park", testIgnore: administration },
    { name: "administration", testMatch: administration, workers: 1 },
  ],
});
