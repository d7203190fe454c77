// The browser tests run against a gateway that is already there: WATTWITNESS_URL names it, else it is looked for where `serve` listens by default.

import { defineConfig } from "@playwright/test";
import { launchOptions } from "./e2e/chromium.mjs";

const baseURL = process.env["WATTWITNESS_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  testDir: "e2e",
  outputDir: "node_modules/.cache/playwright",
  forbidOnly: true,
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: { baseURL, launchOptions, locale: "en-GB", trace: "off" },
});
