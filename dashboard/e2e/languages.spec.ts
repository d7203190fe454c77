// Every main page in every language: what is said, how numbers and dates are written, and that it fits on a phone. What it means, a person has to read.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import { privateUrl } from "./support/environment.ts";
import { logIn } from "./support/session.ts";

test.describe.configure({ mode: "parallel" });

const locales = new URL("../src/locales/", import.meta.url);

const languages = [
  { language: "en", system: "en-US", tag: "en-GB", name: "English" },
  { language: "de", system: "de-AT", tag: "de-DE", name: "Deutsch" },
  { language: "es", system: "es-MX", tag: "es-ES", name: "Español" },
  { language: "zh", system: "zh-TW", tag: "zh-CN", name: "中文" },
] as const;

type Texts = Readonly<Record<string, string>>;

/** All texts of a language, by their ids. */
function textsOf(language: string): Texts {
  const files = readdirSync(new URL(`${language}/`, locales)).map((file) => readFileSync(new URL(`${language}/${file}`, locales), "utf8"));
  return Object.assign({}, ...files.map((file) => JSON.parse(file) as Texts)) as Texts;
}

function holds(text: string, phrase: string): boolean {
  return new RegExp(`(?<![\\p{L}\\d])${phrase.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\p{L}\\d])`, "u").test(text);
}

/** Words that are in most English sentences and in none of another language. */
const words = ["the", "and", "of", "is", "are", "with", "since", "this", "from", "reading", "readings", "signed"];

/** A text's id, which stands where nothing says it. */
const untranslated = new RegExp(`\\b(${readdirSync(new URL("en/", locales)).map((file) => file.replace(".json", "")).join("|")})\\.[a-z][a-zA-Z]+`, "g");

/** What may not stand on a page in this language: English words, and every English text that it says otherwise. */
function foreignTo(language: string): string[] {
  const own = textsOf(language);
  const said = Object.values(own).join("\n");
  const texts = Object.entries(textsOf("en")).flatMap(([id, text]) => (own[id] === text || text.includes("{") || text.length < 4 ? [] : [text]));
  return [...words, ...texts].filter((phrase) => !holds(said, phrase));
}

/** Everything that a page says, to the eye and to a screen reader; without what is marked as English, code, and the names that people gave. */
async function textOf(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const spoken = ["aria-label", "title", "placeholder", "alt"];
    const body = document.body.cloneNode(true) as HTMLElement;
    for (const element of body.querySelectorAll("[lang=en], code, pre, script, style")) element.remove();
    const parts: string[] = [document.title];
    const walk = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) parts.push(walk.currentNode.textContent ?? "");
    for (const element of body.querySelectorAll("*")) parts.push(...spoken.flatMap((name) => element.getAttribute(name) ?? []));
    return parts.join("\n");
  });
}

/** What people wrote, in whatever language: names of meters and keys, and what the audit trail repeats of them. */
async function written(page: Page): Promise<string[]> {
  const origin = new URL(page.url()).origin;
  const listed = async <Entry>(path: string): Promise<Entry[]> => {
    const response = await page.request.get(`${origin}${path}`);
    return response.ok() ? ((await response.json()) as Entry[]) : [];
  };
  const names = [...(await listed<{ name: string }>("/api/v1/installations/")), ...(await listed<{ name: string }>("/api/v1/keys"))];
  const trail = await listed<{ action: string; detail: string }>("/api/v1/audit");
  const repeated = trail.filter(({ action }) => /^installation\.(announce|label|revoke|replace)$/.test(action));
  return [...names.map(({ name }) => name), ...repeated.map(({ detail }) => detail)].filter((text) => text !== "");
}

/** Waits until a page shows what it has, not its skeleton. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator("main :is(h1, h2)").first().waitFor();
  await expect(page.locator('main [class*="skeleton"]')).toHaveCount(0);
}

interface Reading {
  id: number;
  window_id: number | null;
  total_wh: number;
}

/** The address of a reading in a sealed window, or of that window. */
async function sealed(page: Page, kind: "readings" | "windows"): Promise<string> {
  const readings = (await (await page.request.get("/api/v1/readings/1?limit=200")).json()) as Reading[];
  const found = readings.find(({ window_id }) => window_id !== null);
  if (!found) throw new Error("the demo has no sealed reading yet");
  return `/meters/1/${kind}/${String(kind === "readings" ? found.id : found.window_id)}`;
}

/** The pages that anyone may read. */
const pages: readonly { title: string; address: string | ((page: Page) => Promise<string>) }[] = [
  { title: "park", address: "/" },
  { title: "meter", address: "/meters/1" },
  { title: "reading", address: async (page) => await sealed(page, "readings") },
  { title: "window", address: async (page) => await sealed(page, "windows") },
  { title: "installations", address: "/installations" },
  { title: "installation", address: "/installations/1" },
  { title: "log-in", address: "/login" },
];

for (const { language, system, tag, name } of languages) {
  test.describe(name, () => {
    test.use({ locale: system, viewport: { width: 390, height: 844 } });
    const foreign = foreignTo(language);

    const notFound = String(textsOf(language)["app.notFound.heading"]);

    async function expectOnlyThisLanguage(page: Page): Promise<void> {
      await expect(page.locator("main")).not.toContainText(notFound);
      await expect(page.locator("html")).toHaveAttribute("lang", tag);
      const text = (await written(page)).reduce((rest, theirs) => rest.replaceAll(theirs, ""), await textOf(page));
      expect(foreign.filter((phrase) => holds(text, phrase)), "texts of English").toEqual([]);
      expect(text.match(untranslated) ?? [], "ids without a text").toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, "pixels that are wider than the screen").toBeLessThanOrEqual(0);
    }

    for (const { title, address } of pages) {
      test(`the ${title} page says everything in the system's language and fits on a phone`, async ({ page }) => {
        await open(page, typeof address === "string" ? address : await address(page));
        await expectOnlyThisLanguage(page);
      });
    }

    for (const title of ["keys", "audit"]) {
      test(`the ${title} page says everything in the system's language and fits on a phone`, async ({ page }) => {
        await logIn(page);
        await open(page, `${privateUrl()}/${title}`);
        await expectOnlyThisLanguage(page);
      });
    }

    test("numbers and dates are written as there", async ({ page }) => {
      await open(page, "/?meter=1");
      const row = page.getByTestId("record").first();
      await row.getByRole("button").click();
      const shown = String(await row.getAttribute("data-reading"));
      const reading = (await (await page.request.get(`/api/v1/installations/1/readings/${shown}`)).json()) as Reading;
      const total = new Intl.NumberFormat(tag, { minimumFractionDigits: 3, maximumFractionDigits: 3 }).format(reading.total_wh / 1000);
      await expect(row).toContainText(`${total}\u00a0kWh`);
      const today = new Intl.DateTimeFormat(tag, { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/Berlin" }).format();
      await expect(page.locator("main")).toContainText(today);
    });
  });

  test(`the choice of ${name} outlives a reload`, async ({ page }) => {
    await open(page, "/");
    await page.getByRole("radio", { name, exact: true }).click({ force: true });
    await expect(page.locator("html")).toHaveAttribute("lang", tag);
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("lang", tag);
    await expect(page.getByRole("radio", { name, exact: true })).toBeChecked();
  });
}
