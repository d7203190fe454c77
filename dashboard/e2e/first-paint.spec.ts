// What is painted before any script has come, and that React draws the page where it stood.

import { expect, test, type Page } from "@playwright/test";

/** Keeps every script but the theme's from coming until it is called. */
async function holdScripts(page: Page): Promise<() => void> {
  let release: (() => void) | null = null;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/\/assets\/[^/]*\.js$/, async (route) => {
    await gate;
    await route.continue();
  });
  return () => {
    release?.();
  };
}

for (const width of [390, 1440]) {
  test(`the frame is painted at once and nothing moves when the page comes, at ${String(width)} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    const release = await holdScripts(page);
    await page.goto("/", { waitUntil: "commit" });
    const frame = page.locator(".first-paint");
    await expect(frame).toBeVisible();
    const bar = await page.locator(".first-paint-bar").boundingBox();
    expect(bar?.width).toBeGreaterThan(300);

    release();
    await expect(frame).toHaveCount(0);
    const header = await page.getByRole("banner").boundingBox();
    expect(header?.x).toBeCloseTo(bar?.x ?? -1, 0);
    expect(header?.y).toBeCloseTo(bar?.y ?? -1, 0);
    expect(header?.width).toBeCloseTo(bar?.width ?? -1, 0);
  });
}

test("the frame has the theme that was chosen, whatever the system's is", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.addInitScript(() => {
    localStorage.setItem("wattwitness.theme", "dark");
  });
  await holdScripts(page);
  await page.goto("/", { waitUntil: "commit" });
  await expect(page.locator("html")).toHaveCSS("background-color", "rgb(13, 18, 17)");
  await expect(page.locator(".first-paint-bar i")).toHaveCSS("background-color", "rgb(26, 34, 32)");
});
