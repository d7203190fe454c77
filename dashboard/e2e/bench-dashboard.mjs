// Measures the dashboard in Chromium, against a demo at WATTWITNESS_URL that is there already, and prints one JSON object of figures. `cargo xtask bench
// dashboard` starts the demos that each part needs; docs/BENCHMARKS.md says what each figure is.

import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { chromium } from "@playwright/test";
import { launchOptions } from "./chromium.mjs";
import { answer, historyIsMade, instant } from "./park-history.mjs";

const url = process.env.WATTWITNESS_URL ?? "http://127.0.0.1:8000";
const desktop = { viewport: { width: 1440, height: 1000 }, locale: "en-GB" };

const ascending = (numbers) => numbers.toSorted((one, other) => one - other);
const quantile = (numbers, share) => ascending(numbers)[Math.min(numbers.length - 1, Math.ceil(share * numbers.length) - 1)];
const median = (numbers) => quantile(numbers, 0.5);
const parkTime = async () => instant((await answer(`${url}/api/v1/status/`)).time);
const isStream = (path) => path === "/api/v1/live";
const rounded = (number, digits = 1) => Number(number.toFixed(digits));

/** Opens the park in a browser that has nothing of it yet, and waits until it shows everything and is on the stream. */
async function openPark(page) {
  await page.goto(url);
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
  await page.locator('[data-testid="stream"][data-phase="open"]').waitFor();
  await page.locator("[data-testid=record]").first().waitFor();
}

/** What is downloaded and when the largest part is painted, each time in a browser with an empty cache. */
async function firstView(browser) {
  const runs = 9;
  const paints = [];
  let scripts = [];
  for (let run = 0; run < runs; run += 1) {
    const context = await browser.newContext(desktop);
    const page = await context.newPage();
    await page.addInitScript(() => {
      globalThis.paints = [];
      new PerformanceObserver((list) => globalThis.paints.push(...list.getEntries().map(({ startTime }) => startTime))).observe({
        type: "largest-contentful-paint",
        buffered: true,
      });
    });
    const responses = [];
    page.on("response", (response) => responses.push(response));
    await openPark(page);
    // What comes after this long is not the first view any more.
    await pause(1500);
    paints.push((await page.evaluate(() => globalThis.paints)).at(-1));
    scripts = await Promise.all(
      responses
        .filter((response) => response.request().resourceType() === "script")
        .map(async (response) => ({ gzipped: gzipSync(await response.body()).length, sent: (await response.request().sizes()).responseBodySize })),
    );
    await context.close();
  }
  const sum = (name) => scripts.reduce((total, script) => total + script[name], 0);
  return {
    first_view_js_gzip_kb: rounded(sum("gzipped") / 1000),
    first_view_js_sent_kb: rounded(sum("sent") / 1000),
    first_view_js_files: scripts.length,
    largest_paint_ms: rounded(median(paints)),
    largest_paint_worst_ms: rounded(Math.max(...paints)),
  };
}

/** How long a page of a meter draws: every `chart-draw` from its opening on, over some openings. */
async function draws(browser, path) {
  const all = [];
  for (let run = 0; run < 10; run += 1) {
    const context = await browser.newContext(desktop);
    const page = await context.newPage();
    await page.addInitScript(() => {
      globalThis.draws = [];
      new PerformanceObserver((list) => {
        for (const { name, duration } of list.getEntries()) if (name === "chart-draw") globalThis.draws.push(duration);
      }).observe({ type: "measure", buffered: true });
    });
    await page.goto(`${url}${path}`);
    await page.locator("[data-testid=meter-chart] canvas").first().waitFor();
    await page.waitForFunction(() => globalThis.draws.length > 0);
    await pause(500);
    all.push(...(await page.evaluate(() => globalThis.draws)));
    await context.close();
  }
  return all;
}

/** From choosing the year on an open page to the frame after its chart was drawn: the question, the answer, and the drawing. */
async function yearSwitch(browser, meter) {
  const times = [];
  for (let run = 0; run < 5; run += 1) {
    const context = await browser.newContext(desktop);
    const page = await context.newPage();
    await page.goto(`${url}/meters/${meter}`);
    await page.locator("[data-testid=meter-chart] canvas").first().waitFor();
    await pause(1000);
    times.push(
      await page.getByRole("radio", { name: "Year", exact: true }).evaluate(async (radio) => {
        const drawn = new Promise((resolve) => {
          new PerformanceObserver((list) => {
            const isYear = document.querySelector("[data-testid=meter-chart]")?.getAttribute("data-span") === "year";
            if (!isYear || list.getEntriesByName("chart-draw").length === 0) return;
            requestAnimationFrame(() => {
              const { port1, port2 } = new MessageChannel();
              port1.addEventListener("message", () => resolve(performance.now()));
              port1.start();
              port2.postMessage(null);
            });
          }).observe({ type: "measure" });
        });
        const began = performance.now();
        radio.click();
        return (await drawn) - began;
      }),
    );
    await context.close();
  }
  return median(times);
}

async function views(browser) {
  const first = await firstView(browser);
  const [{ id }] = await answer(`${url}/api/v1/installations/`);
  const year = await draws(browser, `/meters/${id}?span=year`);
  // A whole day in ten-second readings, thinned to what the page asks for, with the day before and the clear sky behind it.
  const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
  const curve = await draws(browser, `/meters/${id}?date=${yesterday}&compare=previous`);
  return {
    ...first,
    year_chart_draw_ms: rounded(Math.max(...year, ...curve), 2),
    year_bars_draw_worst_ms: rounded(Math.max(...year), 2),
    day_curve_draw_worst_ms: rounded(Math.max(...curve), 2),
    chart_draws: year.length + curve.length,
    year_switch_ms: rounded(await yearSwitch(browser, id)),
  };
}

/** An open tab, watched for ten minutes, in which every meter seals a window: what it asks for, and how soon a reading is on it. */
async function live(browser) {
  const minutes = 10;
  const context = await browser.newContext(desktop);
  const page = await context.newPage();
  // The stream itself says when the gateway received a reading: once it is sealed, the API says when its window came.
  const received = new Map();
  const session = await context.newCDPSession(page);
  session.on("Network.eventSourceMessageReceived", ({ eventName, data }) => {
    if (eventName !== "reading") return;
    const reading = JSON.parse(data);
    received.set(reading.id, instant(reading.created_at));
  });
  await session.send("Network.enable");
  await openPark(page);
  // All of the page is on the screen, so that what is in the document is also painted.
  await page.setViewportSize({ width: 1440, height: await page.evaluate(() => document.documentElement.scrollHeight) });
  await pause(20_000);
  await page.evaluate(() => {
    const seen = new Set();
    /** The readings that the document shows since the last look. */
    const fresh = () => {
      const shown = [...document.querySelectorAll("[data-testid=record]")].map((row) => Number(row.getAttribute("data-reading")));
      const news = shown.filter((id) => !seen.has(id));
      for (const id of news) seen.add(id);
      return news;
    };
    fresh();
    globalThis.painted = [];
    new MutationObserver(() => {
      const news = fresh();
      if (news.length === 0) return;
      requestAnimationFrame(() => {
        // A task that is posted while a frame is made runs after it was painted.
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener("message", () => {
          const at = Date.now();
          for (const id of news) globalThis.painted.push({ id, at });
        });
        port1.start();
        port2.postMessage(null);
      });
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-reading"] });
  });
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await pause(minutes * 60_000);
  const painted = await page.evaluate(() => globalThis.painted);
  const beside = asked.filter((path) => !isStream(path));
  console.error(`asked for in ${minutes} minutes: ${beside.toSorted().join(" ")}`);

  const times = painted.flatMap(({ id, at }) => (received.has(id) ? [at - received.get(id)] : []));
  const shown = new Set(painted.map(({ id }) => id));
  const [from, to] = [painted[0].at, painted.at(-1).at - 1000];
  const missed = [...received].filter(([id, at]) => at > from && at < to && !shown.has(id));
  if (times.length < 200) throw new Error(`only ${times.length} readings were seen`);
  await context.close();
  return {
    receipt_to_screen_p50_ms: median(times),
    receipt_to_screen_p99_ms: quantile(times, 0.99),
    receipt_to_screen_max_ms: Math.max(...times),
    receipt_to_screen_readings: times.length,
    readings_never_shown: missed.length,
    tab_requests_per_min: rounded(beside.length / minutes, 2),
    tab_stream_reconnects: asked.length - beside.length,
  };
}

/** Lets the page's clock run as fast as the park's: its dates, and its waits of a second and more. */
function quicken({ speed, parkAt, realAt }) {
  const RealDate = Date;
  const now = () => parkAt + (RealDate.now() - realAt) * speed;
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) super(now());
      else super(...parts);
    }
    static now() {
      return now();
    }
  };
  for (const name of ["setTimeout", "setInterval"]) {
    const real = globalThis[name];
    globalThis[name] = (task, ms = 0, ...values) => real(task, ms >= 1000 ? ms / speed : ms, ...values);
  }
}

/** A tab in front of a park that lives faster than the clock: what it holds after a day of readings on the real stream. */
async function memory(browser) {
  const [realBefore, parkBefore] = [Date.now(), await parkTime()];
  await pause(5000);
  const [realAt, parkAt] = [Date.now(), await parkTime()];
  const speed = Math.round((parkAt - parkBefore) / (realAt - realBefore));
  const context = await browser.newContext(desktop);
  const page = await context.newPage();
  await page.addInitScript(quicken, { speed, parkAt, realAt });
  const session = await context.newCDPSession(page);
  let messages = 0;
  session.on("Network.eventSourceMessageReceived", () => (messages += 1));
  await session.send("Network.enable");
  await session.send("HeapProfiler.enable");
  await openPark(page);

  const held = async () => {
    for (let time = 0; time < 3; time += 1) await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
    return { heap: usedSize / 1e6, nodes, listeners: jsEventListeners };
  };
  const parkHours = async (hours) => {
    const due = began + hours * 3_600_000;
    for (let left = due - (await parkTime()); left > 0; left = due - (await parkTime())) await pause(Math.min(left / speed + 50, 30_000));
  };

  const began = await parkTime();
  await parkHours(0.5);
  const start = await held();
  const eventsAtStart = messages;
  await parkHours(12.5);
  const half = await held();
  await parkHours(24.5);
  const whole = await held();
  const phase = await page.getByTestId("stream").getAttribute("data-phase");
  if (phase !== "open") throw new Error(`after a day the page is not on the stream but ${phase}`);
  await context.close();
  return {
    heap_mb_start: rounded(start.heap, 2),
    heap_mb_12h: rounded(half.heap, 2),
    heap_mb_24h: rounded(whole.heap, 2),
    heap_growth_12h_to_24h_mb: rounded(whole.heap - half.heap, 2),
    heap_growth_24h_mb: rounded(whole.heap - start.heap, 2),
    dom_nodes_start: start.nodes,
    dom_nodes_12h: half.nodes,
    dom_nodes_24h: whole.nodes,
    listeners_start: start.listeners,
    listeners_24h: whole.listeners,
    memory_events: messages - eventsAtStart,
    memory_speed: speed,
  };
}

const parts = { views, live, memory };
const part = parts[process.argv[2]];
if (!part) throw new Error(`name a part to measure: ${Object.keys(parts).join(", ")}`);
await historyIsMade(url);
const browser = await chromium.launch(launchOptions);
try {
  console.log(JSON.stringify(await part(browser)));
} finally {
  await browser.close();
}
