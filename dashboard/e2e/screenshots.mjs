// Takes pictures of every page for {phone, desktop} × {light, dark} into docs/images or SCREENSHOTS_DIR: of the demo at WATTWITNESS_URL what anyone may read, of
// the private one at WATTWITNESS_PRIVATE_URL what is administered. `cargo xtask screenshots` starts both.

import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { launchOptions } from "./chromium.mjs";
import { answer, historyIsMade, instant } from "./park-history.mjs";

function told(variable) {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set; \`cargo xtask screenshots\` sets everything`);
  return value;
}

const open = told("WATTWITNESS_URL");
const closed = told("WATTWITNESS_PRIVATE_URL");
const adminKey = readFileSync(told("WATTWITNESS_ADMIN_KEY_FILE"), "utf8").trim();
const folder = process.env.SCREENSHOTS_DIR ?? fileURLToPath(new URL("../../docs/images/", import.meta.url));

const screens = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1 },
};

const parkTime = async () => instant((await answer(`${open}/api/v1/status/`)).time);

/** How much faster than the clock the open demo's park lives. */
async function speedOfThePark() {
  const [realBefore, parkBefore] = [Date.now(), await parkTime()];
  await pause(3000);
  return Math.round(((await parkTime()) - parkBefore) / (Date.now() - realBefore));
}

/** Waits for the time of day, UTC, at which the example's park in Germany has the most sun. */
async function noon(speed) {
  for (;;) {
    const day = 86_400_000;
    const time = (await parkTime()) % day;
    const [from, to] = [10 * 3_600_000, 12 * 3_600_000];
    if (time >= from && time < to) return;
    await pause(Math.min(((from - time + day) % day) / speed + 100, 10_000));
  }
}

/** The page's dates are the park's: its today is the one in which the readings are. Its stream is open, but it holds still for a picture. */
function followThePark({ parkAt, realAt }) {
  const RealEventSource = EventSource;
  globalThis.EventSource = class extends RealEventSource {
    addEventListener(type, ...rest) {
      if (type === "open" || type === "error") super.addEventListener(type, ...rest);
    }
  };
  const RealDate = Date;
  const now = () => parkAt + (RealDate.now() - realAt);
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) super(now());
      else super(...parts);
    }
    static now() {
      return now();
    }
  };
}

/** The sunniest of the last whole days, and a reading of its noon with the window that it is sealed in. */
async function brightest() {
  const now = await parkTime();
  const days = [];
  for (let back = 2; back <= 30; back += 1) {
    const date = new Date(now - back * 86_400_000).toISOString().slice(0, 10);
    const { data_points: points } = await answer(`${open}/api/v1/readings/1/chart?time_frame=day&at=${date}`);
    days.push({ date, energy: points.reduce((sum, { value }) => sum + (value ?? 0), 0) });
  }
  const { date } = days.toSorted((one, other) => other.energy - one.energy)[0];
  const [reading] = await answer(`${open}/api/v1/readings/1?limit=1&start_time=${date}T10:55:00Z&end_time=${date}T11:05:00Z`);
  return { date, reading };
}

async function change(path, body) {
  const response = await fetch(`${closed}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminKey}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
  return await response.json();
}

/** A meter that waits for approval, and keys as a park has them. Gives the meter's number. */
async function populate() {
  const { x, y } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  const meter = await change("/api/v1/installations/", {
    name: "Barn roof",
    public_key: [x, y].map((part) => Buffer.from(part, "base64url").toString("hex")).join(""),
    shelly_mac: "EC64C9C05E97",
    sensor_model: "shelly_em_gen1",
    channel: 0,
    production_counter: "total",
    rated_power_w: 9800,
    time_zone: "Europe/Berlin",
  });
  for (const [name, role] of [
    ["Lobby screen", "viewer"],
    ["Auditor", "viewer"],
    ["Field crew", "operator"],
  ]) {
    await change("/api/v1/keys", { name, role });
  }
  return meter.id;
}

/** Opens a page and waits until it shows what it has; once more where a busy machine had a meter be late in the fast park. */
async function show(page, url) {
  for (let time = 0; time < 4; time += 1) {
    await page.goto(url);
    await page.locator("main :is(h1, h2)").first().waitFor({ state: "attached" });
    // The style page shows skeletons for good.
    await page.waitForFunction(() => location.pathname === "/style" || !document.querySelector('main [class*="skeleton"]'));
    await page.locator('[data-testid="stream"][data-phase="connecting"]').waitFor({ state: "detached" });
    if ((await page.locator('main [data-state="late"]').count()) === 0) return;
  }
}

mkdirSync(folder, { recursive: true });
await Promise.all([historyIsMade(open), historyIsMade(closed, adminKey)]);
const waiting = await populate();
const { date, reading } = await brightest();
const speed = await speedOfThePark();
console.log(`the park lives ${speed} times faster than the clock; its brightest day was ${date}`);
await noon(speed);

const pages = [
  { name: "park", url: `${open}/` },
  { name: "kiosk", url: `${open}/?kiosk` },
  { name: "meter", url: `${open}/meters/1?date=${date}` },
  { name: "meter-month", url: `${open}/meters/1?span=month&compare=2` },
  { name: "reading", url: `${open}/meters/1/readings/${reading.id}` },
  { name: "window", url: `${open}/meters/1/windows/${reading.window_id}` },
  { name: "login", url: `${closed}/login` },
  { name: "installations", url: `${closed}/installations`, isAdministration: true },
  { name: "installation", url: `${closed}/installations/1`, isAdministration: true },
  { name: "approve", url: `${closed}/installations/${waiting}`, isAdministration: true },
  { name: "keys", url: `${closed}/keys`, isAdministration: true },
  { name: "audit", url: `${closed}/audit`, isAdministration: true },
  { name: "style", url: `${open}/style` },
];

const browser = await chromium.launch(launchOptions);
for (const { name, url, isAdministration = false } of pages) {
  for (const [screen, settings] of Object.entries(screens)) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ ...settings, colorScheme, reducedMotion: "reduce", locale: "en-GB" });
      if (url.startsWith(open)) await context.addInitScript(followThePark, { parkAt: await parkTime(), realAt: Date.now() });
      if (isAdministration) await context.request.post(`${closed}/api/v1/session`, { data: { key: adminKey } });
      const page = await context.newPage();
      page.setDefaultTimeout(90_000);
      await show(page, url);
      // Charts are drawn a frame or two after their data is there.
      await pause(700);
      const path = join(folder, `${name}-${screen}-${colorScheme}.png`);
      await page.screenshot({ path });
      console.log(path);
      await context.close();
    }
  }
}
await browser.close();
