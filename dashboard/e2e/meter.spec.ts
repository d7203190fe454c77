// The page of one meter against a running gateway that is measuring. What a gateway cannot be made to do on command is put in its place by the browser.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type APIRequestContext, type Locator, type Page, type Route } from "@playwright/test";
import { shiftOf, watchShifts } from "./support/layout-shift.ts";

interface Bar {
  label: string;
  timestamp: number;
  end: number;
  value: number;
  readings: number;
}

/** The first meter in service. */
async function meterOf(request: APIRequestContext): Promise<{ id: number; name: string; timezone: string }> {
  const all = (await (await request.get("/api/v1/installations/")).json()) as { id: number; name: string; timezone: string; state: string }[];
  const meter = all.find(({ state }) => state === "active");
  if (!meter) throw new Error("the gateway has no meter in service");
  return meter;
}

/** Opens a meter's page and waits until its figures and its chart are there. */
async function openMeter(page: Page, request: APIRequestContext, search = ""): Promise<number> {
  const { id } = await meterOf(request);
  await page.goto(`/meters/${String(id)}${search}`);
  await settled(page);
  return id;
}

async function settled(page: Page): Promise<void> {
  await page.locator("[data-testid=produced]:not(:has([aria-hidden]))").waitFor();
  await page.locator('[data-testid=bars], [data-testid=curve], [data-testid="chart-table"]').first().waitFor();
}

/** The curve, once it has points to be read. */
async function curveOf(page: Page): Promise<Locator> {
  const curve = page.locator('[data-testid=curve]:not([data-points="0"])');
  await curve.locator("canvas").waitFor();
  return curve;
}

async function chartOf(request: APIRequestContext, id: number, span: string, at: string): Promise<Bar[]> {
  const answer = await request.get(`/api/v1/readings/${String(id)}/chart?time_frame=${span}&at=${at}`);
  return ((await answer.json()) as { data_points: Bar[] }).data_points;
}

/** Yesterday where the meter is, which is over, so that nothing of it moves. */
async function yesterdayOf(request: APIRequestContext): Promise<string> {
  const { timezone } = await meterOf(request);
  return new Intl.DateTimeFormat("sv-SE", { timeZone: timezone }).format(Date.now() - 86_400_000);
}

/** Where a chart's plotted area is on the screen, once it is there to be pointed at. */
async function placeOf(shown: Locator) {
  const area = shown.locator(".u-over");
  await area.scrollIntoViewIfNeeded();
  const box = await area.boundingBox();
  if (!box) throw new Error("the chart has no place");
  return box;
}

const chart = (page: Page) => page.getByRole("slider");
const zoomIn = (page: Page) => new URL(page.url()).searchParams.get("zoom");

test("live values come by the stream alone", async ({ page, request }) => {
  await openMeter(page, request);
  await page.locator('[data-testid="stream"][data-phase="open"]').waitFor();
  await expect(page.getByTestId("meter-voltage")).toContainText("V");
  const newest = page.getByTestId("newest");
  const first = String(await newest.getAttribute("data-reading"));
  const asked: string[] = [];
  await page.route("**/api/**", (route) => {
    asked.push(route.request().url());
    return route.abort();
  });

  await expect(newest).not.toHaveAttribute("data-reading", first, { timeout: 30_000 });
  const second = String(await newest.getAttribute("data-reading"));
  await expect(newest).not.toHaveAttribute("data-reading", second, { timeout: 30_000 });
  // The other meters have measured as well by now; nor does that make this page ask for what the park produced.
  expect(asked.filter((url) => url.endsWith("/energy"))).toEqual([]);
});

test("voltage and reactive power are those of the signed bytes", async ({ page, request }) => {
  const id = await openMeter(page, request);
  const newest = page.getByTestId("newest");
  // Another reading may come while this one is asked for.
  await expect(async () => {
    const reading = String(await newest.getAttribute("data-reading"));
    const shown = await page.getByTestId("meter-voltage").innerText();
    expect(await newest.getAttribute("data-reading")).toBe(reading);
    const answer = (await (await request.get(`/api/v1/installations/${String(id)}/readings/${reading}`)).json()) as { record: string };
    // A single-phase reading has its voltage in mV at byte 97.
    const volts = Number.parseInt(answer.record.slice(97 * 2, 101 * 2), 16) / 1000;
    expect(Number.parseFloat(shown)).toBeCloseTo(volts, 1);
  }).toPass();
});

for (const [date, hours] of [
  ["2026-10-25", 25],
  ["2026-03-29", 23],
] as const) {
  test(`the day of ${String(hours)} hours has as many bars`, async ({ page, request }) => {
    const { id, timezone } = await meterOf(request);
    test.skip(timezone !== "Europe/Berlin", "the demo stands in Berlin's zone");
    const stored = await chartOf(request, id, "day", date);
    test.skip(stored.length === 0, "the gateway's history does not go back so far");
    await openMeter(page, request, `?date=${date}&view=energy`);
    await expect(page.getByTestId("bars")).toHaveAttribute("data-bars", String(hours));

    await page.getByRole("button", { name: "Table" }).click();
    await expect(page.getByTestId("chart-table").locator("tbody tr")).toHaveCount(hours);
    const names = await page.getByTestId("chart-table").locator("tbody th").allInnerTexts();
    expect(new Set(names).size).toBe(hours);
  });
}

test("the table says what the chart was answered", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  const id = await openMeter(page, request, `?date=${date}&view=energy&table=1`);
  const stored = await chartOf(request, id, "day", date);
  const cells = await page.getByTestId("chart-table").locator("tbody tr td:nth-child(2)").allInnerTexts();
  expect(cells.map(wattHoursOf).map(Math.round)).toEqual(
    stored.map(({ value, readings }) => (readings === 0 && value === 0 ? 0 : Math.round(roundedAsShown(value)))),
  );
  const total = Number(await page.getByTestId("produced").getAttribute("data-watt-hours"));
  expect(total).toBeCloseTo(stored.reduce((sum, { value }) => sum + value, 0), 1);
});

test("the address holds the span, the date, the view, the comparison, the zoom and the table", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  await openMeter(page, request);
  await page.getByLabel("Pick a date").fill(date);
  await expect(page.getByTestId("meter-chart")).toHaveAttribute("data-date", date);
  await page.getByRole("radio", { name: "Energy" }).check({ force: true });
  await page.getByLabel("Compare").selectOption("previous");
  await expect(page.getByTestId("compared")).toHaveAttribute("data-watt-hours", /./);
  await chart(page).focus();
  await page.keyboard.press("+");
  await expect.poll(() => zoomIn(page)).not.toBeNull();
  await page.getByRole("button", { name: "Table" }).click();
  await expect(page.getByTestId("chart-table")).toBeVisible();
  const address = page.url();
  const shown = await page.getByTestId("meter-chart").innerText();

  await page.goto("/");
  await page.goto(address);
  await settled(page);
  await expect(page.getByTestId("compared")).toHaveAttribute("data-watt-hours", /./);

  expect(await page.getByTestId("meter-chart").innerText()).toBe(shown);
  const { searchParams } = new URL(address);
  expect([...searchParams.keys()].toSorted()).toEqual(["compare", "date", "table", "view", "zoom"]);
});

test("stepping back and forth leads to the same day, and the browser's back button goes the same way", async ({ page, request }) => {
  await openMeter(page, request);
  const period = page.getByTestId("period");
  const today = await period.innerText();
  await expect(page.getByRole("button", { name: /^On to/ })).toBeDisabled();
  await page.getByRole("button", { name: /^Back to/ }).click();
  await expect(period).not.toHaveText(today);
  const yesterday = await period.innerText();

  await page.getByRole("button", { name: /^On to/ }).click();
  await expect(period).toHaveText(today);
  expect(new URL(page.url()).searchParams.get("date")).toBeNull();

  await page.goBack();
  await expect(period).toHaveText(yesterday);
  await page.getByRole("button", { name: "Now", exact: true }).click();
  await expect(period).toHaveText(today);
});

test("the old chart stays, dimmed, until the new one is there", async ({ page, request }) => {
  await openMeter(page, request, "?span=month");
  await page.getByTestId("bars").locator("canvas").waitFor();
  const held: Route[] = [];
  let isHeld = true;
  await page.route("**/chart?*", async (route) => {
    if (isHeld) held.push(route);
    else await route.continue();
  });
  await page.getByRole("button", { name: /^Back to/ }).click();
  await expect(page.locator("[data-old] [data-testid=bars] canvas")).toBeVisible();
  isHeld = false;
  await Promise.all(held.map((route) => route.continue()));
  await expect(page.locator("[data-old]")).toHaveCount(0);
});

test("every span shows its bars, and a click on one leads into it", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  for (const [span, finer] of [
    ["year", "month"],
    ["month", "day"],
    ["week", "day"],
    ["day", "hour"],
  ] as const) {
    await openMeter(page, request, `?span=${span}&date=${date}&view=energy`);
    const section = page.getByTestId("meter-chart");
    await expect(section).toHaveAttribute("data-span", span);
    const box = await placeOf(page.getByTestId("bars"));
    await page.mouse.click(box.x + 20, box.y + box.height / 2);
    await expect(section).toHaveAttribute("data-span", finer);
  }
});

test("keys read values, zoom, move and show all again", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  await openMeter(page, request, `?date=${date}`);
  await curveOf(page);
  await chart(page).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("readout")).toHaveAttribute("data-shown", "true");
  await expect(chart(page)).toHaveAttribute("aria-valuetext", /^\d\d:\d\d:\d\d: .*W$/);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("readout")).not.toHaveAttribute("data-shown", "true");

  await page.keyboard.press("+");
  await expect.poll(() => zoomIn(page)).not.toBeNull();
  const near = zoomIn(page);
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(() => zoomIn(page)).not.toBe(near);
  await page.keyboard.press("0");
  await expect.poll(() => zoomIn(page)).toBeNull();
});

test("dragging zooms in and asks for finer readings; shift moves, the wheel with ctrl zooms, a double click resets", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  await openMeter(page, request, `?date=${date}`);
  const curve = await curveOf(page);
  const box = await placeOf(curve);
  const at = (share: number) => [box.x + box.width * share, box.y + box.height / 2] as const;
  const drag = async (from: number, to: number) => {
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at((from + to) / 2));
    await page.mouse.move(...at(to));
    await page.mouse.up();
  };

  const finer = page.waitForRequest(/optimized/);
  await drag(0.4, 0.5);
  await finer;
  const [from = 0, to = 0] = (zoomIn(page) ?? "").split("-").map(Number);
  expect(to - from).toBeGreaterThan(2 * 3600);
  expect(to - from).toBeLessThan(3 * 3600);

  await page.keyboard.down("Shift");
  await drag(0.5, 0.7);
  await page.keyboard.up("Shift");
  const [moved = 0, movedTo = 0] = (zoomIn(page) ?? "").split("-").map(Number);
  expect(moved).toBeLessThan(from);
  expect(Math.abs(movedTo - moved - (to - from))).toBeLessThan(5);

  const before = zoomIn(page);
  await page.mouse.move(...at(0.5));
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, 200);
  await page.keyboard.up("Control");
  await expect.poll(() => zoomIn(page)).not.toBe(before);

  await page.mouse.dblclick(...at(0.5));
  await expect.poll(() => zoomIn(page)).toBeNull();
});

test("the pointer reads values with units, and those compared with", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  await openMeter(page, request, `?date=${date}&compare=previous`);
  const curve = await curveOf(page);
  const box = await placeOf(curve);
  const readout = page.getByTestId("readout");
  // The chart is drawn anew when what it is compared with arrives, and forgets a pointer that rests on it.
  await expect(async () => {
    await page.mouse.move(box.x + box.width / 2 + 1, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await expect(readout.locator("dt")).toHaveText(/^(11:59|12:0)/, { timeout: 1000 });
    await expect(readout.locator("dd")).toHaveText([/W$|no readings/, /W$|–/], { timeout: 1000 });
  }).toPass();
});

test("another meter is compared with", async ({ page, request }) => {
  const { id } = await meterOf(request);
  const all = (await (await request.get("/api/v1/installations/")).json()) as { id: number; name: string; state: string }[];
  const other = all.find((each) => each.state === "active" && each.id !== id);
  test.skip(!other, "the park has one meter");
  await openMeter(page, request, "?span=month");
  await page.getByLabel("Compare").selectOption({ label: other?.name ?? "" });
  await expect(page.getByTestId("compared")).toContainText(other?.name ?? "");
  expect(new URL(page.url()).searchParams.get("compare")).toBe(String(other?.id));
});

test("a gap is a gap: no line, no zero", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  await page.route("**/optimized?*", async (route) => {
    const answer = await route.fetch();
    const readings = (await answer.json()) as { timestamp: number }[];
    const [first] = readings.map(({ timestamp }) => timestamp).toSorted((one, next) => one - next);
    const holed = readings.filter(({ timestamp }) => timestamp < (first ?? 0) + 6 * 3600 || timestamp > (first ?? 0) + 9 * 3600);
    await route.fulfill({ response: answer, json: holed });
  });
  await openMeter(page, request, `?date=${date}`);
  const curve = page.getByTestId("curve");
  await expect.poll(async () => Number(await curve.getAttribute("data-gaps"))).toBeGreaterThanOrEqual(1);
  await expect(chart(page)).toHaveAccessibleName(/gap/);
});

test("starts, outages and gaps are marks that say what they are", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  const noon = Date.parse(`${date}T12:00:00Z`) / 1000;
  const none = { boot: null, reset_reason: null, firmware_digest: null, firmware_version: null, readings_lost: null, energy_wh: null };
  await page.route("**/marks?*", (route) =>
    route.fulfill({
      json: [
        { ...none, kind: "boot", start: noon, end: noon, boot: 7, reset_reason: "power_on", firmware_version: "1.2.3" },
        { ...none, kind: "outage", start: noon + 7200, end: noon + 10_800, energy_wh: 450 },
      ],
    }),
  );
  await openMeter(page, request, `?date=${date}`);
  const marks = page.getByTestId("marks").getByRole("button");
  await expect(marks).toHaveCount(2);
  await expect(marks.first()).toHaveAccessibleName(/start 7, power came on, firmware 1\.2\.3/);
  await marks.nth(1).focus();
  await expect(marks.nth(1)).toHaveAccessibleName(/no readings for 1.h\. The meter counted 450.Wh/);
});

test("corrections and overlap are told beside the lifetime figure", async ({ page, request }) => {
  await page.route("**/api/v1/energy", async (route) => {
    const answer = await route.fetch();
    const energies = (await answer.json()) as Record<string, unknown>[];
    const corrected = energies.map((energy) => Object.assign(energy, { lifetime_wh: 10_000, corrected_wh: 1500, overlap_wh: 250 }));
    await route.fulfill({ response: answer, json: corrected });
  });
  await openMeter(page, request);
  const row = page.locator("div", { has: page.getByTestId("energy-lifetime") }).last();
  await expect(row).toContainText(/8\.50.kWh/);
  await expect(row).toContainText(/10\.00.kWh measured; 1\.50.kWh of it taken back by signed corrections/);
  await expect(row).toContainText(/250.Wh were measured beside/);
});

test("the status of internet, meter, gateway and all of it is told, each with why", async ({ page, request }) => {
  await openMeter(page, request);
  const status = page.getByRole("region", { name: "System status" });
  for (const part of ["Meter", "Gateway", "Internet", "Overall"]) {
    await expect(status.getByRole("region", { name: part, exact: true })).toContainText(/\w+\./);
  }
  for (const part of ["Meter", "Gateway", "Overall"]) {
    await expect(status.getByRole("region", { name: part, exact: true })).toContainText(/since/);
  }
});

test("what the meter is, is told as the gateway has it", async ({ page, request }) => {
  const id = await openMeter(page, request);
  const detail = (await (await request.get(`/api/v1/installations/${String(id)}`)).json()) as {
    meter_id: string;
    last_boot: { boot: number; firmware_version: string } | null;
    enrolment: { accepted: boolean } | null;
  };
  const facts = page.getByRole("region", { name: "About this meter" });
  await expect(facts).toContainText(detail.meter_id.slice(0, 4));
  await expect(facts).toContainText(detail.last_boot?.firmware_version ?? "–");
  if (detail.enrolment) await expect(facts).toContainText(detail.enrolment.accepted ? "countersigned by the meter" : "countersignature pending");
  await expect(facts.getByRole("button", { name: "Copy the whole fingerprint" })).toBeVisible();
});

test("the chart and the readings of the interval are exported", async ({ page, request }) => {
  const date = await yesterdayOf(request);
  const id = await openMeter(page, request, `?date=${date}&view=energy`);
  await page.getByTestId("bars").locator("canvas").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Chart (CSV)" }).click()]);
  expect(download.suggestedFilename()).toContain(`energy-day-${date}.csv`);
  const stream = await download.createReadStream();
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  const stored = await chartOf(request, id, "day", date);
  const lines = text.trim().split("\r\n");
  expect(lines[0]).toBe("start_utc,end_utc,start_local,energy_wh,compared_energy_wh,note");
  expect(lines).toHaveLength(stored.length + 1);

  const link = String(await page.getByRole("link", { name: "Readings (CSV)" }).getAttribute("href"));
  expect(link).toContain(`/api/v1/installations/${String(id)}/readings.csv?start_time=`);
});

test("records of this meter only are listed", async ({ page, request }) => {
  const id = await openMeter(page, request);
  await expect(page.getByTestId("record")).toHaveCount(10);
  const numbers = await page.getByTestId("record").evaluateAll((rows) => rows.map((row) => Number(row.getAttribute("data-reading"))));
  // A reading's number is its installation times 2^29 plus its own.
  expect(numbers.map((number) => Math.floor(number / 2 ** 29))).toEqual(numbers.map(() => id));
});

test("a meter that does not exist is said not to", async ({ page }) => {
  await page.goto("/meters/999999");
  await expect(page.getByRole("heading", { name: "There is no such meter" })).toBeVisible();
});

test("a year's chart is drawn without holding up the page", async ({ page, request }) => {
  await openMeter(page, request, "?span=year");
  await page.getByTestId("bars").locator("canvas").waitFor();
  const draws = await page.evaluate(() => performance.getEntriesByName("chart-draw").length);
  // The newest drawing only is kept: a page that is open all day gathers nothing.
  expect(draws).toBe(1);
});

test("nothing shifts while the page loads and values come in", async ({ page, request }) => {
  await watchShifts(page);
  await openMeter(page, request);
  const newest = page.getByTestId("newest");
  const first = String(await newest.getAttribute("data-reading"));
  await expect(newest).not.toHaveAttribute("data-reading", first, { timeout: 30_000 });
  expect(await shiftOf(page)).toBeLessThan(0.02);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const [screen, width] of [
    ["400 % zoom", 320],
    ["phone", 390],
    ["desktop", 1280],
  ] as const) {
    test.describe(`${screen}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });

      for (const [what, search] of [
        ["chart", "?compare=previous"],
        ["table", "?span=month&table=1"],
      ] as const) {
        test(`axe finds nothing in the ${what}`, async ({ page, request }) => {
          // It looks at every colour and every cell; a busy machine takes its time over that.
          test.slow();
          await openMeter(page, request, search);
          const { violations } = await new AxeBuilder({ page })
            .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
            .analyze();
          expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
        });
      }

      test("nothing is wider than the screen", async ({ page, request }) => {
        for (const search of ["?span=hour", "?span=month&table=1&compare=previous"]) {
          await openMeter(page, request, search);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(overflow).toBeLessThanOrEqual(0);
        }
      });
    });
  }
}

/** Watt-hours of a figure as the page shows it, zero for a dash. */
function wattHoursOf(figure: string): number {
  const [, number, unit] = /([\d.,]+)\s*(Wh|kWh|MWh)/.exec(figure) ?? [];
  if (!number || !unit) return 0;
  return Number(number.replaceAll(",", "")) * { Wh: 1, kWh: 1e3, MWh: 1e6 }[unit as "Wh" | "kWh" | "MWh"];
}

/** Figures above a kilowatt-hour have two decimals. */
function roundedAsShown(wattHours: number): number {
  return wattHours < 999.5 ? wattHours : Number((wattHours / 1e3).toFixed(2)) * 1e3;
}
