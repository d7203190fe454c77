// A gateway and a meter of their own, stopped and started while the page is open: the real program, in front of a Shelly that counts. No demo is used.

import { expect, test, type Locator, type Page } from "@playwright/test";
import { Shelly } from "./support/shelly.ts";
import { Site } from "./support/program.ts";

// One site for all tests, in their order: a meter needs its time to measure something.
test.describe.configure({ mode: "serial", timeout: 180_000 });

const site = new Site();
let shelly: Shelly;

test.beforeAll(async () => {
  shelly = await Shelly.start();
  await site.startGateway();
  await site.enrolMeter(shelly.url);
  // What it measured before it was approved comes sealed, which no open page is told of.
  await expect.poll(async () => (await sequences()).at(0), nextReading).toBe(1);
});

test.afterAll(async () => {
  await site.close();
  await shelly.stop();
});

const live = '[data-testid="stream"][data-phase="open"]';
/** Longer than the longest pause between two readings, with room for a busy machine. */
const nextReading = { timeout: 40_000 };

interface Reading {
  id: number;
  sequence: number;
}

/** What the gateway has of the meter, newest first. */
async function stored(limit: number): Promise<Reading[]> {
  const response = await fetch(`${site.url}/api/v1/readings/1?limit=${String(limit)}`);
  return response.ok ? ((await response.json()) as Reading[]) : [];
}

/** The numbers of all its readings, in order. */
async function sequences(): Promise<number[]> {
  return (await stored(1000)).map(({ sequence }) => sequence).toSorted((one, other) => one - other);
}

async function shown(page: Page): Promise<number[]> {
  return await page.getByTestId("record").evaluateAll((rows) => rows.map((row) => Number(row.getAttribute("data-reading"))));
}

async function openPark(page: Page): Promise<Locator> {
  await page.goto(site.url);
  await page.locator(live).waitFor();
  const newest = page.getByTestId("newest");
  await expect(newest).toHaveAttribute("data-reading", /\d+/, nextReading);
  return newest;
}

/** The list holds what the gateway has, each reading once and in its order. */
async function expectTheGatewaysRecords(page: Page): Promise<void> {
  await expect(async () => {
    const wanted = (await stored(10)).map(({ id }) => id);
    expect(await shown(page)).toEqual(wanted);
  }, "the list is the gateway's").toPass(nextReading);
}

/** The energy of today is what the gateway counts, to the watt-hour that a reading in between may add. */
async function expectTheGatewaysEnergy(page: Page): Promise<void> {
  await expect
    .poll(async () => {
      const energy = (await (await page.request.get(`${site.url}/api/v1/installations/1/energy`)).json()) as { today_wh: number };
      return Number(await page.getByTestId("energy-today").getAttribute("data-watt-hours")) - energy.today_wh;
    }, nextReading)
    .toBe(0);
}

test("a meter's new reading arrives on the open page", async ({ page }) => {
  const newest = await openPark(page);
  const before = String(await newest.getAttribute("data-reading"));
  await expect(newest).not.toHaveAttribute("data-reading", before, nextReading);
  await expect(page.getByTestId("park-power")).toHaveAttribute("data-watts", "720");
  await expectTheGatewaysRecords(page);
  await expectTheGatewaysEnergy(page);
});

for (const [signal, how] of [
  ["SIGTERM", "is stopped"],
  ["SIGKILL", "dies"],
] as const) {
  test(`values resume by themselves after the gateway ${how} and is started again`, async ({ page }) => {
    const newest = await openPark(page);
    const before = String(await newest.getAttribute("data-reading"));

    await site.stopGateway(signal);
    await expect(page.getByTestId("banner")).toBeVisible();
    await expect(newest, "what was shown stays").toHaveAttribute("data-reading", before);
    const polls = shelly.polls;
    await expect.poll(() => shelly.polls, { ...nextReading, message: "the meter goes on measuring" }).toBeGreaterThan(polls + 1);
    await site.startGateway();

    await expect(page.locator(live)).toBeVisible({ timeout: 60_000 });
    await expect(page.getByTestId("banner")).toBeHidden();
    await expect(newest).not.toHaveAttribute("data-reading", before, { timeout: 60_000 });
    await expectTheGatewaysRecords(page);
    await expectTheGatewaysEnergy(page);
  });
}

test("a meter that stops is shown late by itself, with since when and why, and nothing it measured is missing", async ({ page }) => {
  await openPark(page);
  const meter = page.getByTestId("meter-1");
  await expect(meter).toHaveAttribute("data-state", "live");

  // An orderly stop seals what the gateway missed while it was away, and sends it.
  await site.stopMeter("SIGINT");

  await expect(meter).toHaveAttribute("data-state", "late", { timeout: 120_000 });
  await expect(meter).toContainText(/Late since \d\d:\d\d/);
  await expect(meter).toContainText(/one is expected every 10\s?s/);
  const measured = await sequences();
  expect(measured).toEqual(Array.from(measured, (_, place) => place + 1));

  await page.reload();
  await expectTheGatewaysRecords(page);
  await expectTheGatewaysEnergy(page);
});
