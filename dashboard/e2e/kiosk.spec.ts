// The park on a wall screen (`?kiosk`), which nobody touches for months.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { alertOf, answerFor, everyState, madeUp, type MadeUpPark } from "./support/made-up-park.ts";
import type { Mark } from "../src/api/types.ts";

const power = "[data-testid=park-power][data-watts]";

async function openWall(page: Page, park: MadeUpPark): Promise<void> {
  await answerFor(page, park);
  await page.goto("/?kiosk");
  await page.locator(power).waitFor();
}

/** Loses the stream and finds it again, after which everything is asked for anew. */
async function reconnect(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new Event("offline")));
}

const thirteen = Array.from({ length: 13 }, (_, place) => ({ id: place + 1, name: `String ${String(place + 1)}`, rated: 3000 }));
const alerts = [alertOf(3, "Workshop", "silent"), alertOf(4, "Carport", "waiting"), alertOf(1, "Barn south", "plausibility", { detail: "future-time" })];

for (const [width, height] of [
  [1920, 1080],
  [3840, 2160],
] as const) {
  test.describe(`${String(width)} × ${String(height)}`, () => {
    test.use({ viewport: { width, height } });

    test("everything is on the screen at once, and larger than on a desk", async ({ page }) => {
      await openWall(page, madeUp(everyState, alerts));
      const sizes = await page.evaluate(() => ({
        letters: Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
        lowest: Math.max(...[...document.querySelectorAll("main *")].map((element) => element.getBoundingClientRect().bottom)),
      }));
      expect(sizes.lowest).toBeLessThanOrEqual(height);
      expect(sizes.letters).toBeGreaterThan(width / 100);
    });

    test("axe finds nothing", async ({ page }) => {
      await openWall(page, madeUp(everyState, alerts));
      await expect(page.getByTestId("clear-sky")).toBeVisible();
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    });
  });
}

for (const [width, height] of [
  [320, 700],
  [390, 844],
  [768, 1024],
  [1024, 800],
  [1024, 1366],
] as const) {
  test(`nothing lies on top of something else on ${String(width)} × ${String(height)}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await openWall(page, madeUp(everyState, alerts));
    await expect(page.getByTestId("alerts").getByRole("listitem")).toHaveCount(alerts.length);
    const overlaps = await page.evaluate(() => {
      // What flows out of a part lies on others as much as the part itself would.
      const boxes = Array.from(document.querySelectorAll("main section"), (section) => {
        const all = [section, ...section.querySelectorAll("*")].map((element) => element.getBoundingClientRect());
        const inside = all.filter((box) => box.width > 1);
        return {
          name: section.getAttribute("aria-labelledby") ?? "",
          box: {
            left: Math.min(...inside.map(({ left }) => left)),
            right: Math.max(...inside.map(({ right }) => right)),
            top: Math.min(...inside.map(({ top }) => top)),
            bottom: Math.max(...inside.map(({ bottom }) => bottom)),
          },
        };
      });
      return boxes.flatMap((one, place) =>
        boxes
          .slice(place + 1)
          .filter(
            (other) =>
              one.box.left < other.box.right && other.box.left < one.box.right && one.box.top < other.box.bottom && other.box.top < one.box.bottom,
          )
          .map((other) => `${one.name} and ${other.name}`),
      );
    });
    expect(overlaps).toEqual([]);
  });
}

test("there is nothing to operate", async ({ page }) => {
  await openWall(page, madeUp(everyState, alerts));
  await expect(page.getByTestId("kiosk")).toBeVisible();
  await expect(page.locator("footer")).toHaveCount(0);
  await expect(page.locator("main").locator("a, button, input, select, summary")).toHaveCount(0);
});

test("the cursor goes when nobody moves it, and comes back", async ({ page }) => {
  await page.clock.install();
  await openWall(page, madeUp(everyState));
  const root = page.locator("html");
  await page.clock.fastForward(5000);
  await expect(root).toHaveAttribute("data-idle", "");
  await page.mouse.move(200, 200);
  await expect(root).not.toHaveAttribute("data-idle", "");
});

test("many meters take turns", async ({ page }) => {
  await page.clock.install();
  await openWall(page, madeUp(thirteen));
  const names = page.locator('[data-testid^="meter-"][data-state] h3');
  const seen = new Set<string>();
  for (let turn = 0; turn < 3; turn += 1) {
    const before = await names.allInnerTexts();
    expect(before.length).toBeLessThanOrEqual(5);
    for (const name of before) seen.add(name);
    await page.clock.fastForward(20_000);
    await expect(names.first()).not.toHaveText(String(before[0]));
  }
  expect(seen.size).toBe(13);
});

test("a wall screen whose log-in has ended says so in place, and shows the park again by itself", async ({ page }) => {
  await page.clock.install();
  const park = madeUp(everyState);
  await openWall(page, park);

  park.session = { ...park.session, public_read: false };
  await reconnect(page);
  await page.clock.runFor(10_000);
  await expect(page.getByRole("heading", { name: "This screen may no longer read the park" })).toBeVisible();
  await expect(page.locator("input")).toHaveCount(0);

  park.session = { ...park.session, public_read: true };
  await page.clock.runFor(61_000);
  await expect(page.locator(power)).toBeVisible();
});

test("a new gateway brings its dashboard without anybody reloading the page", async ({ page }) => {
  const park = madeUp(everyState);
  await openWall(page, park);
  const loaded = page.waitForEvent("load");
  park.session = { ...park.session, version: "1.0.1" };
  await reconnect(page);
  await loaded;
  await page.locator(power).waitFor();
  expect(new URL(page.url()).searchParams.has("kiosk")).toBe(true);
});

/** A start of the meter, which other screens mark on the axis of time, to be pointed at. */
function startNow(): Mark {
  const start = Math.floor(Date.now() / 1000);
  return {
    kind: "boot",
    start,
    end: start,
    boot: 2,
    reset_reason: "power_on",
    firmware_version: "0.1.0",
    firmware_digest: null,
    energy_wh: null,
    readings_lost: null,
  };
}

test("a meter's page too is all on the screen, without anything to operate", async ({ page, request }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.route("**/marks?*", (route) => route.fulfill({ json: [startNow()] }));
  const installations = (await (await request.get("/api/v1/installations/")).json()) as { id: number; state: string }[];
  const active = installations.find(({ state }) => state === "active");
  await page.goto(`/meters/${String(active?.id)}?kiosk`);
  await page.locator("main canvas").waitFor();
  await expect(page.locator("main").locator("a, button, input, select, summary").filter({ visible: true })).toHaveCount(0);
  const lowest = await page.evaluate(() =>
    Math.max(...[...document.querySelectorAll("main section *")].map((element) => element.getBoundingClientRect().bottom)),
  );
  expect(lowest).toBeLessThanOrEqual(1080);
});

test("a gateway that is away is said, and the last figures stay", async ({ page }) => {
  await page.goto("/?kiosk");
  await page.locator(power).waitFor();
  await page.locator('[data-testid="stream"][data-phase="open"]').waitFor();
  let isDown = true;
  await page.route("**/api/**", (route) => (isDown ? route.abort() : route.continue()));
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await expect(page.getByTestId("banner")).toContainText("Figures are as of");
  await expect(page.getByTestId("banner").getByRole("button")).toHaveCount(0);
  await expect(page.locator(power)).toBeVisible();

  isDown = false;
  await expect(page.locator('[data-testid="stream"][data-phase="open"]')).toBeVisible({ timeout: 45_000 });
  await expect(page.getByTestId("banner")).toBeHidden();
});
