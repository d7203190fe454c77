// The park page against a running gateway with a park that is measuring. What a gateway cannot be made to do on command is put in its place by the browser.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Page, type Route } from "@playwright/test";
import { alertOf, answerFor, everyState, madeUp, type MadeUpMeter, type MadeUpPark } from "./support/made-up-park.ts";
import { shiftOf, watchShifts } from "./support/layout-shift.ts";

const live = '[data-testid="stream"][data-phase="open"]';

/** Opens the park and waits until it shows the park's power and is on the stream. */
async function openPark(page: Page, path = "/"): Promise<void> {
  await page.goto(path);
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
  await page.locator(live).waitFor();
}

test("on the narrowest screen a mark stands beside its words, and no name is broken for a bar", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 800 });
  await answerFor(page, madeUp(everyState));
  await page.goto("/");
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
  await expect(page.getByTestId("alerts").locator("p svg")).toBeVisible();
  for (const paragraph of [page.locator("p:has(> [data-testid=newest])"), page.getByTestId("alerts").locator("p").first()]) {
    const isBeside = await paragraph.evaluate((element) => {
      const mark = element.querySelector("svg")?.getBoundingClientRect();
      const words = document.createRange();
      words.selectNodeContents(element.querySelector("[data-testid=newest]") ?? element.lastChild ?? element);
      const box = words.getBoundingClientRect();
      return mark !== undefined && mark.right <= box.left && mark.top < box.bottom && box.top < mark.bottom;
    });
    expect(isBeside).toBe(true);
  }
  const names = await page.getByTestId("yields").locator("tbody th a").evaluateAll((links) =>
    links.map((link) => ({ lines: link.getClientRects().length, words: link.textContent.split(" ").length })),
  );
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter(({ lines, words }) => lines > words)).toEqual([]);
});

test("no day and no zone is said before the park's is known", async ({ page }) => {
  const held: Route[] = [];
  let isHeld = true;
  await page.route("**/api/v1/installations/", async (route) => {
    if (isHeld) held.push(route);
    else await route.continue();
  });
  await page.goto("/");
  await expect.poll(() => held.length).toBeGreaterThan(0);
  const heading = page.locator("#meters");
  await expect(heading).toBeAttached();
  await expect(heading).toHaveText("");
  await expect(page.getByText(/^Times in/)).toHaveCount(0);
  isHeld = false;
  for (const route of held) await route.continue();
  await expect(heading).toContainText("Today");
  await expect(page.getByText(/^Times in/)).toBeVisible();
});

test("a new reading reaches the screen by the stream alone", async ({ page }) => {
  await openPark(page);
  const newest = page.getByTestId("newest");
  const first = String(await newest.getAttribute("data-reading"));
  // From here on nothing but the open stream can bring anything: every request is refused.
  await page.route("**/api/**", (route) => route.abort());

  await expect(newest).not.toHaveAttribute("data-reading", first, { timeout: 30_000 });

  const shown = String(await newest.getAttribute("data-reading"));
  await expect(page.locator(`[data-testid=record][data-reading="${shown}"]`)).toBeVisible();
});

test("an open page asks for next to nothing beside the stream", async ({ page }) => {
  await openPark(page);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const newest = page.getByTestId("newest");
  for (let arrived = 0; arrived < 2; arrived += 1) {
    const before = String(await newest.getAttribute("data-reading"));
    await expect(newest).not.toHaveAttribute("data-reading", before, { timeout: 30_000 });
  }
  // A window that is sealed in this moment has each meter's records asked for once, and how the meters are
  // is asked for once a minute: their list and the status.
  const meters = await page.locator('[data-testid^="meter-"][data-state]').count();
  expect(asked.length).toBeLessThanOrEqual(meters + 2);
});

test("the park's power is the sum of its reporting meters", async ({ page }) => {
  await openPark(page);
  const rows = await page.locator('[data-testid^="meter-"][data-state]').evaluateAll((strips) =>
    strips.map((strip) => strip.getAttribute("data-state")),
  );
  const reporting = rows.filter((state) => state === "live" || state === "late").length;
  expect(reporting).toBeGreaterThan(0);
  const watts = Number(await page.getByTestId("park-power").getAttribute("data-watts"));
  const figures = await page.getByTestId("meter-power").allInnerTexts();
  const sum = figures.map(wattsOf).reduce((total, value) => total + value, 0);
  // Each figure is rounded to 10 W above a kilowatt.
  expect(Math.abs(sum - watts)).toBeLessThanOrEqual(10 * reporting);
});

test("an opened record shows its bytes and stays where it is", async ({ page }) => {
  await openPark(page);
  const row = page.getByTestId("record").first();
  const id = String(await row.getAttribute("data-reading"));
  await row.getByRole("button").click();

  const detail = page.getByTestId("record-detail");
  await expect(detail).toContainText("Signed bytes (");
  await expect(detail.getByRole("row", { name: /Sequence/ })).toBeVisible();
  expect(new URL(page.url()).searchParams.get("record")).toContain(id);

  const newest = page.getByTestId("newest");
  const before = String(await newest.getAttribute("data-reading"));
  await expect(newest).not.toHaveAttribute("data-reading", before, { timeout: 30_000 });
  await expect(page.getByTestId("record").first()).toHaveAttribute("data-reading", id);
});

test("the address of a record leads back to it", async ({ page }) => {
  await openPark(page);
  await page.getByTestId("record").first().getByRole("button").click();
  await expect(page.getByTestId("record-detail")).toBeVisible();
  const sequence = page.getByTestId("record-detail").getByRole("row", { name: /Sequence/ });
  const shown = await sequence.innerText();

  await page.reload();

  await expect(sequence).toBeVisible();
  expect(await sequence.innerText()).toBe(shown);
});

test("older records follow without a hole and the browser steps back to the latest", async ({ page, request }) => {
  await openPark(page);
  const rows = page.getByTestId("record");
  await expect(rows).toHaveCount(10);
  await rows.first().getByRole("button").click();
  const idsOf = () => rows.evaluateAll((all) => all.map((row) => Number(row.getAttribute("data-reading"))));
  const first = await idsOf();

  await page.getByRole("button", { name: "Older" }).click();
  await expect(page.getByRole("heading", { name: "Older records" })).toBeVisible();
  await expect(rows).toHaveCount(10);
  const shown = [...first, ...(await idsOf())];

  const installations = (await (await request.get("/api/v1/installations/")).json()) as { id: number; state: string }[];
  const stored: { id: number; installation_id: number; timestamp: number }[] = [];
  for (const { id, state } of installations) {
    if (state === "waiting") continue;
    stored.push(...((await (await request.get(`/api/v1/readings/${String(id)}?limit=60`)).json()) as typeof stored));
  }
  const inOrder = stored
    .toSorted((one, other) => other.timestamp - one.timestamp || one.installation_id - other.installation_id)
    .map(({ id }) => id);
  const start = inOrder.indexOf(shown[0] ?? 0);
  expect(shown).toEqual(inOrder.slice(start, start + 20));

  await page.goBack();
  await expect(page.getByRole("heading", { name: "Latest records" })).toBeVisible();
});

test("a curve has no gap where the gateway has readings", async ({ page, request }) => {
  await openPark(page);
  for (const strip of await page.locator('[data-testid^="meter-"][data-state="live"]').all()) {
    const id = String(await strip.getAttribute("data-testid")).replace("meter-", "");
    const chart = strip.getByRole("img", { name: /power today\. Peak/ });
    const [, gaps = "0"] = /(\d+) gaps?\./.exec(String(await chart.getAttribute("aria-label"))) ?? [];
    const readings = (await (await request.get(`/api/v1/readings/${id}?limit=8640`)).json()) as {
      timestamp: number;
      power_w: number | null;
    }[];
    const measured = readings.filter(({ power_w }) => power_w !== null).map(({ timestamp }) => timestamp);
    // Two missed polls in a row are no gap.
    const pauses = measured.filter((time, place) => time - (measured[place + 1] ?? time) > 40).length;
    expect(Number(gaps), `gaps of meter ${id}`).toBeLessThanOrEqual(pauses);
  }
});

test("values resume by themselves when the gateway is back", async ({ page }) => {
  await openPark(page);
  let isDown = true;
  await page.route("**/api/v1/live*", (route) => (isDown ? route.abort() : route.continue()));
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await expect(page.getByTestId("banner")).toBeVisible();

  isDown = false;
  await expect(page.locator(live)).toBeVisible({ timeout: 45_000 });
  await expect(page.getByTestId("banner")).toBeHidden();
});

test("the resumed stream says where it left off", async ({ page }) => {
  await openPark(page);
  const newest = page.getByTestId("newest");
  const first = String(await newest.getAttribute("data-reading"));
  await expect(newest).not.toHaveAttribute("data-reading", first, { timeout: 30_000 });

  const resumed = page.waitForRequest((request) => request.url().includes("/api/v1/live?last_event_id="));
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  expect(new URL((await resumed).url()).searchParams.get("last_event_id")).not.toBe("");
});

test("a park without meters names the three commands", async ({ page }) => {
  await page.route("**/api/v1/installations/", (route) => route.fulfill({ json: [] }));
  await page.goto("/");
  const commands = page.getByTestId("empty").locator("code");
  await expect(commands).toHaveCount(3);
  await expect(commands.nth(1)).toContainText(`--gateway ${new URL(page.url()).origin}`);
});

test("a refusal is shown in the gateway's own words", async ({ page }) => {
  await page.route("**/api/v1/installations/", (route) =>
    route.fulfill({
      status: 401,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "An API key is needed", status: 401, detail: "Public read is off." }),
    }),
  );
  await page.goto("/");
  await expect(page.getByRole("alert").filter({ hasText: "An API key is needed" })).toBeVisible();
});

test("an unverified import is never shown as verified", async ({ page }) => {
  await page.route(/\/api\/v1\/readings\/\d+\?limit=/, async (route) => {
    const response = await route.fetch();
    const readings = (await response.json()) as Record<string, unknown>[];
    const imports = readings.map((reading) => Object.assign(reading, { is_verified: false, signature: null, record: null }));
    await route.fulfill({ response, json: imports });
  });
  await openPark(page);
  await expect(page.locator('[data-testid=record][data-signature="unverified"]').first()).toContainText("Unverified");
});

test("today's curves have a table, hours by meters, which the address keeps", async ({ page, request }) => {
  const installations = (await (await request.get("/api/v1/installations/")).json()) as { name: string; state: string }[];
  await page.goto("/");
  await page.getByRole("button", { name: "Table", exact: true }).click();
  const table = page.getByTestId("meter-table");
  const columns = table.getByRole("columnheader");
  await expect(columns.first()).toHaveText("Hour");
  for (const { name } of installations.filter(({ state }) => state === "active").slice(0, 3)) await expect(columns.filter({ hasText: name }).first()).toBeVisible();
  // A day on which the clocks change has an hour more or less.
  expect([23, 24, 25]).toContain(await table.locator("tbody").getByRole("row").count());
  await expect(page).toHaveURL(/[?&]table=1/);
  await page.reload();
  await expect(table).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).include("[data-testid=meter-table]").analyze();
  expect(violations).toEqual([]);
});

test("nothing shifts while the page loads", async ({ page }) => {
  await watchShifts(page);
  await openPark(page);
  expect(await shiftOf(page)).toBeLessThan(0.01);
});

test("the keyboard reaches and opens a record", async ({ page }) => {
  await openPark(page);
  await page.getByRole("button", { name: /^Record of/ }).first().focus();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("record-detail")).toBeVisible();
});

test("the choice of a theme outlives a reload", async ({ page }) => {
  await openPark(page);
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
});

/** Opens a park that the browser makes up. */
async function openMadeUp(page: Page, park: MadeUpPark, path = "/"): Promise<void> {
  await answerFor(page, park);
  await page.goto(path);
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
}

/** Loses the stream and finds it again, after which everything is asked for anew. */
async function reconnect(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await expect(page.locator('[data-testid="stream"][data-phase="open"]')).toBeVisible({ timeout: 30_000 });
}

test("each meter says how it is, since when and why", async ({ page }) => {
  await openMadeUp(page, madeUp(everyState));
  const strip = (id: number) => page.getByTestId(`meter-${String(id)}`);
  await expect(strip(1)).toContainText(/Live since .*Reads every 10\ss/);
  await expect(strip(2)).toContainText(/Late since .*Last reading .*one is expected every 10\ss/);
  await expect(strip(3)).toContainText(/Silent since .*Check the meter’s power and network/);
  await expect(strip(4)).toContainText(/Waiting for approval since .*8fd6\sea08\sd440\s0a12.*Compare and approve/);
  await expect(strip(5)).toContainText(/Replaced Its place was taken by Barn west/);
  await expect(strip(6)).toContainText(/Revoked since .*Sold with the mill/);
});

test("a replaced meter is never called silent", async ({ page }) => {
  await openMadeUp(page, madeUp(everyState));
  await expect(page.getByTestId("meter-5")).toHaveAttribute("data-state", "replaced");
  await expect(page.getByTestId("meter-5")).not.toContainText("Silent");
});

test("a meter that falls silent while the page is open is shown silent, with an alert that says what to check", async ({ page }) => {
  const park = madeUp(everyState.slice(0, 2));
  await openMadeUp(page, park);
  const strip = page.getByTestId("meter-1");
  await expect(strip).toHaveAttribute("data-state", "live");
  await expect(page.getByTestId("alerts")).toContainText("No alerts");
  const before = Number(await page.getByTestId("park-power").getAttribute("data-watts"));

  park.meters = park.meters.map((meter) => (meter.id === 1 ? { ...meter, state: "silent" } : meter));
  park.alerts = [alertOf(1, "Barn south", "silent")];
  await reconnect(page);

  await expect(strip).toContainText(/Silent since/);
  await expect(strip.getByTestId("meter-power")).toHaveText("–");
  await expect(page.getByTestId("alerts")).toContainText(/Barn south is silent, since .*Check the meter’s power and network/);
  expect(Number(await page.getByTestId("park-power").getAttribute("data-watts"))).toBeLessThan(before);
});

test("alerts say what to do next, with the worst in front and the rest behind a button", async ({ page }) => {
  const alerts = [
    alertOf(3, "Workshop", "silent"),
    alertOf(4, "Carport", "waiting"),
    alertOf(1, "Barn south", "plausibility", { count: 14, detail: "power-above-rating: 13.1 kW" }),
    alertOf(2, "Barn west", "equivocation", { count: 2 }),
  ];
  await openMadeUp(page, madeUp(everyState, alerts));
  const rows = page.getByTestId("alerts").getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("Barn west signed two statements that contradict each other (2 cases)");

  await page.getByRole("button", { name: "3 more alerts" }).press("Enter");
  await expect(rows).toHaveCount(4);
  await expect(rows.nth(1)).toContainText("Power far above the rated power (14 records)");
  const links = await page.getByTestId("alerts").getByRole("link").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(links).toEqual(["/installations/2", "/installations/1", "/meters/3", "/installations/4"]);
});

test("a yield is the energy for each rated kilowatt, best first", async ({ page }) => {
  await openMadeUp(page, madeUp([...everyState, { id: 7, name: "Unrated", rated: null }]));
  const rows = page.locator('[data-testid^="yield-"]');
  await expect(rows).toHaveText([/Barn west\s*3\.00\s*60\.00/, /Barn south\s*2\.50\s*50\.00/, /Workshop\s*1\.00\s*20\.00/]);
  await expect(page.getByTestId("yields")).toContainText("1 meter has no rated power");
  await page.getByRole("radio", { name: "This month" }).check({ force: true });
  expect(new URL(page.url()).searchParams.get("yield")).toBe("month");
});

test("lifetime energy is after what signed corrections took back, and says how much that was", async ({ page }) => {
  await openMadeUp(page, madeUp([{ id: 1, name: "Roof", rated: 5000, todayWh: 1000, correctedWh: 250 }]));
  await expect(page.getByTestId("energy-lifetime")).toHaveAttribute("data-watt-hours", "599750");
  await expect(page.getByTestId("energy-year")).toHaveAttribute("data-watt-hours", "250000");
  await expect(page.getByText("250\u00a0Wh taken back by signed corrections")).toBeVisible();
});

test("a clear sky is drawn, and called an estimate, only where the enrolment says where the plant stands", async ({ page }) => {
  const park = madeUp([{ id: 1, name: "Roof", rated: 5000 }]);
  await openMadeUp(page, park);
  await expect(page.getByTestId("clear-sky")).toHaveText("Clear-sky estimate from place and rated power");
  await expect(page.getByRole("img", { name: /On a clear day at most about .*, estimated/ })).toBeVisible();

  park.meters = [{ id: 1, name: "Roof", rated: 5000, hasPlace: false }];
  await page.reload();
  await expect(page.getByRole("img", { name: /power today/ })).toBeVisible();
  await expect(page.getByTestId("clear-sky")).toHaveCount(0);
  await expect(page.getByRole("img", { name: /clear day/ })).toHaveCount(0);
});

test("a meter's name leads to its page", async ({ page }) => {
  await openMadeUp(page, madeUp(everyState));
  await expect(page.getByTestId("meter-1").getByRole("link", { name: "Barn south" })).toHaveAttribute("href", "/meters/1");
});

test("of a hundred meters only those on the screen are drawn, and they can be put in order", async ({ page }) => {
  const hundred = Array.from({ length: 100 }, (_, place): MadeUpMeter => {
    const isSilent = place === 97;
    return { id: place + 1, name: `String ${String(place + 1)}`, rated: 1000 + 10 * place, state: isSilent ? "silent" : "live" };
  });
  const park = madeUp(hundred);
  await openMadeUp(page, park);
  await expect(page.locator('[data-testid^="meter-"][data-state]')).toHaveCount(100);
  await page.getByTestId("meter-1").scrollIntoViewIfNeeded();
  await expect(page.getByTestId("meter-1").locator("canvas")).toBeVisible();
  expect(await page.locator("canvas").count()).toBeLessThan(40);
  expect(park.asked.filter((path) => path.endsWith("/optimized")).length).toBeLessThan(40);
  await expect(page.getByTestId("record")).toHaveCount(10);
  expect(park.asked.filter((path) => /^\/readings\/\d+$/.test(path)).length).toBeLessThanOrEqual(10);

  await page.getByRole("radio", { name: "State" }).check({ force: true });
  await expect(page.locator('[data-testid^="meter-"][data-state]').first()).toHaveAttribute("data-testid", "meter-98");
  await page.reload();
  await expect(page.locator('[data-testid^="meter-"][data-state]').first()).toHaveAttribute("data-testid", "meter-98");
  await expect(page.locator('[data-testid^="yield-"]')).toHaveCount(10);
});

test("axe finds nothing in a park of every state with alerts", async ({ page }) => {
  await openMadeUp(page, madeUp(everyState, [alertOf(3, "Workshop", "silent"), alertOf(4, "Carport", "waiting")]));
  await page.getByRole("button", { name: "1 more alert" }).click();
  await expect(page.getByTestId("clear-sky")).toBeVisible();
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const [screen, width] of [
    ["400 % zoom", 320],
    ["phone", 390],
    ["desktop", 1280],
  ] as const) {
    test.describe(`${screen}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });

      test("axe finds nothing", async ({ page }) => {
        await openPark(page);
        await page.getByTestId("record").first().getByRole("button").click();
        await expect(page.getByTestId("record-detail")).toBeVisible();
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
      });

      test("nothing is wider than the screen", async ({ page }) => {
        await openPark(page);
        await page.getByTestId("record").first().getByRole("button").click();
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      });
    });
  }
}

/** Watts of a figure as the page shows it, zero for a dash. */
function wattsOf(figure: string): number {
  const [, number, unit] = /([\d.,\u2212]+)\s*(W|kW|MW)/.exec(figure) ?? [];
  if (!number || !unit) return 0;
  return Number(number.replaceAll(",", "").replace("\u2212", "-")) * { W: 1, kW: 1e3, MW: 1e6 }[unit as "W" | "kW" | "MW"];
}
