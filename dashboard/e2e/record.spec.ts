// A reading's and a window's page against a running gateway, and every kind of tampered answer, which the browser puts in place of the gateway's.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { shiftOf, watchShifts } from "./support/layout-shift.ts";

interface Proof {
  leaf_index: number;
  leaf_count: number;
  path: string[];
  root: string;
  window_record: string;
  window_signature: string;
}

interface Reading {
  id: number;
  installation_id: number;
  record: string;
  signature: string | null;
  power_w: number | null;
  total_wh: number | null;
  produced_wh: number;
  timestamp: number;
  sequence: number;
  flags: string[];
  meter_id: string;
  proof: Proof | null;
}

interface Window {
  id: number;
  energy_wh: number;
  record: string;
  signature: string;
  readings: { id: number; record: string; power_w: number | null }[];
}

const perMeter = 2 ** 29;
const verdict = "[data-testid=verdict]";

/** A meter that has sealed windows, and its newest reading. */
async function measuringMeter(request: APIRequestContext): Promise<{ id: number; latest: Reading }> {
  const installations = (await (await request.get("/api/v1/installations/")).json()) as { id: number; state: string }[];
  const id = installations.find(({ state }) => state === "active")?.id ?? 0;
  return { id, latest: (await (await request.get(`/api/v1/readings/latest/${String(id)}`)).json()) as Reading };
}

const readingPath = ({ installation_id, id }: Pick<Reading, "installation_id" | "id">) => `/meters/${String(installation_id)}/readings/${String(id)}`;

/** A reading that is sealed: some windows before the newest one. */
async function sealedReading(request: APIRequestContext): Promise<Reading> {
  const { id, latest } = await measuringMeter(request);
  const sealed = id * perMeter + Math.max(1, latest.sequence - 200);
  return (await (await request.get(`/api/v1/installations/${String(id)}/readings/${String(sealed)}`)).json()) as Reading;
}

/** A reading that has its own signature only: what the newest one was a moment ago. */
async function liveReading(request: APIRequestContext): Promise<Reading> {
  let live: Reading | null = null;
  await expect(async () => {
    ({ latest: live } = await measuringMeter(request));
    expect(live?.signature).not.toBeNull();
  }).toPass();
  if (live === null) throw new Error("no live reading");
  return live;
}

async function expectVerdict(page: Page, overall: "proven" | "unproven" | "false"): Promise<void> {
  await expect(page.locator(verdict)).toHaveAttribute("data-overall", overall);
}

const failing = (page: Page) =>
  page.locator("[data-testid^=check-][data-outcome=fails]").evaluateAll((checks) => checks.map((check) => (check as HTMLElement).dataset["testid"]?.replace("check-", "")));

/** Has this page served a reading that somebody changed. */
async function tamper(page: Page, change: (reading: Reading) => object): Promise<void> {
  await page.route(/\/api\/v1\/installations\/\d+\/readings\/\d+$/, async (route) => {
    const response = await route.fetch();
    const reading = (await response.json()) as Reading;
    await route.fulfill({ response, json: Object.assign(reading, change(reading)) });
  });
}

/** The same digits with the last one of this byte changed. */
function withDigit(hex: string, byte: number): string {
  const place = byte * 2 + 1;
  return hex.slice(0, place) + (hex[place] === "0" ? "1" : "0") + hex.slice(place + 1);
}

/** Where the fields of a reading begin (docs/FORMAT.md, section 6). */
const offsets = { version: 1, power: 63, produced: 89 };

/** Outside a secure context browsers have no WebCrypto. */
const hideWebCrypto = (page: Page) =>
  page.addInitScript(() => {
    Object.defineProperty(crypto, "subtle", { value: undefined });
  });

for (const engine of ["webcrypto", "javascript"] as const) {
  test.describe(`computed by ${engine}`, () => {
    test.beforeEach(async ({ page }) => {
      if (engine === "javascript") await hideWebCrypto(page);
    });

    test("a live reading is proven by its own signature", async ({ page, request }) => {
      const reading = await liveReading(request);
      await page.goto(readingPath(reading));
      await expectVerdict(page, "proven");
      await expect(page.locator(verdict)).toHaveAttribute("data-engine", engine);
      // It may be sealed while the page opens: then the path has taken the signature's place.
      await expect(page.locator("[data-testid=check-signature], [data-testid=check-path]")).toHaveAttribute("data-outcome", "holds");
    });

    test("a sealed reading is proven by its window", async ({ page, request }) => {
      const sealed = await sealedReading(request);
      await page.goto(readingPath(sealed));
      await expectVerdict(page, "proven");
      await expect(page.locator(verdict)).toHaveAttribute("data-engine", engine);
      await expect(page.getByTestId("check-path")).toHaveAttribute("data-outcome", "holds");
      // The reading itself and one step to the root for each digest; at the end of a window there are fewer.
      const steps = sealed.proof?.path.length ?? 0;
      expect(steps).toBeGreaterThan(0);
      await expect(page.getByTestId("proof-path").getByRole("listitem")).toHaveCount(1 + steps);
    });

    test("an address may name a reading by its plain sequence number", async ({ page, request }) => {
      const { installation_id, sequence } = await sealedReading(request);
      await page.goto(readingPath({ installation_id, id: sequence }));
      await expectVerdict(page, "proven");
    });

    test("a window is proven and its root rebuilt from all its readings", async ({ page, request }) => {
      const { installation_id, proof } = await sealedReading(request);
      await page.goto(`/meters/${String(installation_id)}/windows/${String(chainIndex(proof))}`);
      await expectVerdict(page, "proven");
      await expect(page.getByTestId("check-rebuilt")).toHaveAttribute("data-outcome", "holds");
      await expect(page.getByTestId("rebuilt-root")).toHaveAttribute("data-same", "true");
    });

    test("a changed record is false", async ({ page, request }) => {
      await tamper(page, ({ record }) => ({ record: withDigit(record, offsets.power + 5) }));
      await page.goto(readingPath(await sealedReading(request)));
      await expectVerdict(page, "false");
      expect(await failing(page)).toEqual(["path", "plant"]);
    });
  });
}

function chainIndex(proof: Proof | null): number {
  return Number.parseInt(proof?.window_record.slice(68, 84) ?? "", 16);
}

test("nothing shifts while a reading's page loads and its verdict is computed", async ({ page, request }) => {
  await watchShifts(page);
  await page.goto(readingPath(await sealedReading(request)));
  await expectVerdict(page, "proven");
  await expect(page.getByTestId("proof-path")).toBeVisible();
  expect(await shiftOf(page)).toBeLessThan(0.02);
});

const sealedForgeries: readonly [forgery: string, failing: string[], change: (reading: Reading) => object][] = [
  ["power that the bytes do not say", ["plant"], ({ power_w }) => ({ power_w: (power_w ?? 0) + 1000 })],
  ["a counter that the bytes do not say", ["plant"], ({ total_wh }) => ({ total_wh: (total_wh ?? 0) + 1 })],
  ["energy that the bytes do not say", ["shown"], ({ produced_wh }) => ({ produced_wh: produced_wh + 1 })],
  ["another time", ["shown"], ({ timestamp }) => ({ timestamp: timestamp + 3600 })],
  ["flags that are not set", ["shown"], () => ({ flags: ["sensor_invalid"] })],
  ["another meter", ["shown"], () => ({ meter_id: "00".repeat(32) })],
  ["a changed hash in the path", ["path"], ({ proof }) => ({ proof: { ...proof, path: proof?.path.with(2, "00".repeat(32)) } })],
  ["a path with a hash too few", ["path"], ({ proof }) => ({ proof: { ...proof, path: proof?.path.slice(1) } })],
  ["another root", ["path", "root"], ({ proof }) => ({ proof: { ...proof, root: "00".repeat(32) } })],
  ["another place in the window", ["path", "inWindow"], ({ proof }) => ({ proof: { ...proof, leaf_index: 1 + (proof?.leaf_index ?? 0) } })],
  ["a changed window", ["windowSignature"], ({ proof }) => ({ proof: { ...proof, window_record: withDigit(proof?.window_record ?? "", 200) } })],
  ["a changed signature of the window", ["windowSignature"], ({ proof }) => ({ proof: { ...proof, window_signature: withDigit(proof?.window_signature ?? "", 40) } })],
];

for (const [forgery, expected, change] of sealedForgeries) {
  test(`a sealed reading served with ${forgery} is false, by name`, async ({ page, request }) => {
    const reading = await sealedReading(request);
    await tamper(page, change);
    await page.goto(readingPath(reading));
    await expectVerdict(page, "false");
    expect(await failing(page)).toEqual(expected);
  });
}

test("a live reading served with a changed or a high-s signature is false", async ({ page, request }) => {
  const reading = await liveReading(request);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  let signature = withDigit(reading.signature ?? "", 20);
  await page.route(/\/api\/v1\/installations\/\d+\/readings\/\d+$/, (route) => route.fulfill({ json: Object.assign(reading, { signature, proof: null, window_id: null }) }));
  const low = reading.signature ?? "";
  await page.goto(readingPath(reading));
  await expectVerdict(page, "false");
  expect(await failing(page)).toEqual(["signature"]);

  signature = low.slice(0, 64) + (order - BigInt(`0x${low.slice(64)}`)).toString(16).padStart(64, "0");
  await page.reload();
  await expectVerdict(page, "false");
  await expect(page.getByTestId("check-signature")).toContainText("s is high");
});

test("another reading than the one asked for is false", async ({ page, request }) => {
  const reading = await sealedReading(request);
  await page.route(/\/api\/v1\/installations\/\d+\/readings\/\d+$/, (route) => route.fulfill({ json: reading }));
  await page.goto(readingPath({ ...reading, id: reading.id - 1 }));
  await expectVerdict(page, "false");
  expect(await failing(page)).toEqual(["shown"]);
});

test("a key that is not the meter's is false", async ({ page, request }) => {
  const reading = await sealedReading(request);
  await page.route("**/api/v1/installations/", async (route) => {
    const response = await route.fetch();
    const installations = (await response.json()) as { id: number; public_key: string }[];
    const keys = installations.map(({ public_key }) => public_key);
    for (const [place, installation] of installations.entries()) installation.public_key = keys[(place + 1) % keys.length] ?? "";
    await route.fulfill({ response, json: installations });
  });
  await page.goto(readingPath(reading));
  await expectVerdict(page, "false");
  expect(await failing(page)).toContain("key");
});

test("without the enrolments the plant's power is not proven", async ({ page, request }) => {
  await page.route("**/enrolments", (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: "{}" }));
  await page.goto(readingPath(await sealedReading(request)));
  await expectVerdict(page, "unproven");
  await expect(page.getByTestId("check-plant")).toHaveAttribute("data-outcome", "unknown");
});

function withOtherReading(window: Window): Window {
  const [, second] = window.readings;
  if (second) second.record = withDigit(second.record, offsets.produced + 7);
  return window;
}

function withMoreEnergy(window: Window): Window {
  return Object.assign(window, { energy_wh: window.energy_wh + 1000 });
}

test("a window served with a changed reading or changed energy is false", async ({ page, request }) => {
  const { installation_id, proof } = await sealedReading(request);
  let change = withOtherReading;
  const path = `/meters/${String(installation_id)}/windows/${String(chainIndex(proof))}`;
  await page.route(new RegExp(`/api/v1${path.replace("meters", "installations")}$`), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: change((await response.json()) as Window) });
  });
  await page.goto(path);
  await expectVerdict(page, "false");
  expect(await failing(page)).toContain("rebuilt");
  await expect(page.getByTestId("rebuilt-root")).toHaveAttribute("data-same", "false");

  change = withMoreEnergy;
  await page.reload();
  await expectVerdict(page, "false");
  expect(await failing(page)).toEqual(["shown"]);
});

test("a window leads to the windows beside it and to each of its readings", async ({ page, request }) => {
  const { installation_id, proof } = await sealedReading(request);
  const index = chainIndex(proof);
  await page.goto(`/meters/${String(installation_id)}/windows/${String(index)}`);
  await expect(page.getByTestId("check-previous")).toHaveAttribute("data-outcome", "holds");
  await page.getByRole("button", { name: /Show all/ }).click();
  await expect(page.getByTestId("window-reading")).toHaveCount(60);
  await page.getByTestId("window-reading").last().getByRole("link").click();
  await expectVerdict(page, "proven");
  await page.getByRole("link", { name: "Open the window" }).click();
  await page.getByRole("link", { name: "Previous window" }).click();
  await expect(page).toHaveURL(new RegExp(`/windows/${String(index - 1)}$`));
  await expectVerdict(page, "proven");
});

test("a changed digit turns the verdict false at once, and undoing it proven again", async ({ page, request }) => {
  await page.goto(readingPath(await sealedReading(request)));
  await expectVerdict(page, "proven");
  const asked: string[] = [];
  page.on("request", (each) => {
    if (each.method() !== "GET" || /readings|windows/.test(each.url())) asked.push(each.url());
  });
  await page.getByRole("button", { name: "Change a digit and see" }).click();
  await expectVerdict(page, "proven");

  await page.getByRole("button", { name: /^Produced: digit 2 of/ }).click();
  await expectVerdict(page, "false");
  await expect(page.getByTestId("check-path")).toHaveAttribute("data-outcome", "fails");
  await expect(page.getByTestId("forge")).toContainText(/\d bytes? changed/);

  await page.getByRole("button", { name: "Undo the changes" }).click();
  await expectVerdict(page, "proven");
  await page.getByRole("button", { name: "Change this hash" }).first().click();
  await expectVerdict(page, "false");
  await page.getByRole("button", { name: "Back to the original" }).click();
  await expectVerdict(page, "proven");
  expect(asked).toEqual([]);
});

test("the keyboard moves over bytes and fields, lights both, and forges", async ({ page, request }) => {
  await page.goto(readingPath(await sealedReading(request)));
  await expectVerdict(page, "proven");
  const bytes = page.getByRole("group", { name: "Bytes, by place" });
  await bytes.getByRole("button").first().focus();
  for (let step = 0; step < 8; step += 1) await page.keyboard.press("ArrowDown");
  // A meter of three phases has the same of each phase, too.
  const power = page.getByRole("row", { name: /Power at the sensor (?![ABC] )/ });
  await expect(power).toHaveAttribute("data-active", "true");
  await expect(bytes.locator("[data-active]")).toHaveCount(8);

  await power.getByRole("button").focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("row", { name: /Import total (?![ABC] )/ })).toHaveAttribute("data-active", "true");
  await expect(bytes.locator('[data-offset="71"]')).toHaveAttribute("data-active", "true");

  await page.getByRole("button", { name: "Change a digit and see" }).focus();
  await page.keyboard.press("Enter");
  await bytes.locator('[data-offset="71"]').focus();
  await page.keyboard.press("7");
  await expectVerdict(page, "false");
  await expect(bytes.locator("[data-changed]")).toHaveCount(1);
});

test("a window's energy can be forged, and is refuted by the signature", async ({ page, request }) => {
  const { installation_id, proof } = await sealedReading(request);
  await page.goto(`/meters/${String(installation_id)}/windows/${String(chainIndex(proof))}`);
  await expectVerdict(page, "proven");
  await page.getByRole("button", { name: "Change a digit and see" }).click();
  await page.getByRole("button", { name: /^Produced at close: digit 2 of/ }).click();
  await expectVerdict(page, "false");
  await expect(page.getByTestId("check-windowSignature")).toHaveAttribute("data-outcome", "fails");
});

function withMorePower(reading: Reading): Reading {
  return Object.assign(reading, { power_w: (reading.power_w ?? 0) + 5000 });
}

test("a tampered record is shown false in the list too", async ({ page }) => {
  await page.route(/\/api\/v1\/readings\/\d+\?limit=/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: ((await response.json()) as Reading[]).map(withMorePower) });
  });
  await page.route("**/api/v1/live*", (route) => route.abort());
  await page.goto("/");
  await page.getByTestId("record").first().getByRole("button").click();
  const detail = page.getByTestId("record-detail");
  await expect(detail.locator(verdict)).toHaveAttribute("data-overall", "false");
  await expect(detail.getByTestId("check-plant")).toHaveAttribute("data-outcome", "fails");
  await detail.getByRole("link", { name: "Open the reading’s page" }).click();
  await expectVerdict(page, "proven");
});

test("what cannot be judged is said instead of judged", async ({ page, request }) => {
  const reading = await sealedReading(request);
  await page.goto(readingPath({ ...reading, id: reading.installation_id * perMeter + perMeter - 1 }));
  await expect(page.getByRole("heading", { name: "This reading is not held here" })).toBeVisible();

  await page.goto(`/meters/${String(reading.installation_id)}/windows/999999999`);
  await expect(page.getByRole("heading", { name: "This window is not held here" })).toBeVisible();

  await page.goto(`/meters/987654/readings/1`);
  await expect(page.getByRole("heading", { name: "There is no such meter here" })).toBeVisible();

  await tamper(page, ({ record }) => ({ record: `${record.slice(0, 2)}02${record.slice(4)}` }));
  await page.goto(readingPath(reading));
  await expect(page.getByTestId("unknown-record")).toContainText("does not know");
  await expect(page.locator(verdict)).toHaveCount(0);

  await page.unroute(/\/api\/v1\/installations\/\d+\/readings\/\d+$/);
  await tamper(page, () => ({ record: null, signature: null, proof: null, is_verified: false }));
  await page.goto(readingPath(reading));
  await expect(page.getByRole("heading", { name: "An imported row that nobody signed" })).toBeVisible();
});

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

test("the command that checks it elsewhere names this meter and these ten minutes", async ({ page, request }) => {
  const reading = await sealedReading(request);
  await page.goto(readingPath(reading));
  const start = Math.floor(reading.timestamp / 600) * 600;
  const command = page.getByTestId("verify-command");
  await expect(command).toContainText(`--meter ${reading.meter_id}`);
  await expect(command).toContainText(`--from ${utc(start)}`);
  await expect(command).toContainText(`--to ${utc(start + 600)}`);
});

async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [screen, width] of [
    ["400 % zoom", 320],
    ["phone", 390],
    ["desktop", 1280],
  ] as const) {
    test.describe(`${screen}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });
      // Axe looks at some five hundred bytes.
      test.slow();

      for (const name of ["reading", "window"] as const) {
        test(`on the ${name}'s page axe finds nothing and nothing is wider than the screen`, async ({ page, request }) => {
          const reading = await sealedReading(request);
          const path = name === "reading" ? readingPath(reading) : `/meters/${String(reading.installation_id)}/windows/${String(chainIndex(reading.proof))}`;
          await page.goto(path);
          await expectVerdict(page, "proven");
          const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(await overflow()).toBeLessThanOrEqual(0);
          if (screen === "desktop") await expectNoViolations(page);
          await page.getByRole("button", { name: "Change a digit and see" }).click();
          await page.getByRole("button", { name: /^Produced.*: digit 2 of/ }).click();
          await expectVerdict(page, "false");
          expect(await overflow()).toBeLessThanOrEqual(0);
          if (screen !== "desktop") await expectNoViolations(page);
        });
      }
    });
  }
}
