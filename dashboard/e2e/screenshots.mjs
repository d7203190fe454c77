// Takes pictures of the park page from a running gateway (WATTWITNESS_URL) for {phone, desktop} × {light, dark}, into docs/images or SCREENSHOTS_DIR.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { launchOptions } from "./chromium.mjs";

const url = process.env.WATTWITNESS_URL ?? "http://127.0.0.1:8000";
const folder = process.env.SCREENSHOTS_DIR ?? fileURLToPath(new URL("../../docs/images/", import.meta.url));
mkdirSync(folder, { recursive: true });

const screens = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1440, height: 1000 }, deviceScaleFactor: 1 },
};

const browser = await chromium.launch(launchOptions);
for (const [screen, settings] of Object.entries(screens)) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ ...settings, colorScheme, reducedMotion: "reduce", locale: "en-GB" });
    const page = await context.newPage();
    await page.goto(url);
    // A park without meters has pictures too: of its first steps.
    await page.locator('[data-testid="park-power"][data-watts], [data-testid="empty"], [role="alert"]').first().waitFor();
    await page.locator('[data-testid="stream"][data-phase="open"], [role="alert"]').first().waitFor();
    await page.waitForTimeout(500);
    const path = join(folder, `dashboard-${screen}-${colorScheme}.png`);
    await page.screenshot({ path, fullPage: true });
    console.log(path);
    await context.close();
  }
}
await browser.close();
