// The pages of firmware, on answers that are made up: releases, a rollout in its third wave, meters in every state; who may do what, and what is asked before it.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { shiftOf, watchShifts } from "./support/layout-shift.ts";
import { answerFirmware, digest, madeUpFirmware, summaryOf, tell } from "./support/made-up-firmware.ts";

test.describe.configure({ mode: "parallel" });

const release = `/firmware/releases/${digest("e140")}`;
const failed = `/firmware/devices/${digest("3f")}`;
const pages = ["/firmware", release, `${release}?do=rollout`, "/firmware/rollouts/1", failed];

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.locator("main h2").first().waitFor();
  await expect(page.locator('main [class*="skeleton"]')).toHaveCount(0);
}

async function overflowOf(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

const everything = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// What is said and how it is built up is the same in the dark and on a phone: there only colours and sizes are looked at.
for (const { colorScheme, width, height, run } of [
  { colorScheme: "light", width: 1440, height: 900, run: { type: "tag", values: everything } },
  { colorScheme: "dark", width: 390, height: 844, run: { type: "rule", values: ["color-contrast", "target-size", "link-in-text-block"] } },
] as const) {
  test.describe(`${colorScheme}, ${String(width)} pixels wide`, () => {
    test.use({ colorScheme, viewport: { width, height } });

    test("axe finds nothing, nothing moves, and nothing is wider than the screen", async ({ page }) => {
      await watchShifts(page);
      await answerFirmware(page, madeUpFirmware());
      for (const path of pages) {
        await open(page, path);
        const { violations } = await new AxeBuilder({ page }).options({ runOnly: { type: run.type, values: [...run.values] } }).analyze();
        expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
        expect(await overflowOf(page), path).toBeLessThanOrEqual(0);
        expect(await shiftOf(page), path).toBeLessThan(0.01);
      }
    });
  });
}

for (const locale of ["de-DE", "es-ES", "zh-CN"]) {
  test.describe(locale, () => {
    test.use({ locale, viewport: { width: 390, height: 844 } });

    test("every page is said in this language, and fits on a phone", async ({ page }) => {
      await answerFirmware(page, madeUpFirmware());
      for (const path of pages) {
        await open(page, path);
        await expect(page.locator("html")).toHaveAttribute("lang", locale);
        const text = await page.locator("main").innerText();
        expect(text.match(/\b(?:firmware|audit|app)\.[a-z][a-zA-Z]+/g) ?? [], "ids without a text").toEqual([]);
        expect(text.match(/\b(?:the|and|of|is|are|with|since|this|from)\b/g) ?? [], "English words").toEqual([]);
        expect(await overflowOf(page), path).toBeLessThanOrEqual(0);
      }
    });
  });
}

test("the first view says what runs on how many meters, and how far each rollout is", async ({ page }) => {
  await answerFirmware(page, madeUpFirmware());
  await open(page, "/firmware");
  const running = page.getByRole("table", { name: "What runs where" }).getByRole("row");
  await expect(running.nth(1)).toContainText(/1\.3\.0.*8.*67/s);
  await expect(running.nth(2)).toContainText(/1\.4\.0.*4.*33/s);
  await expect(page.getByRole("table", { name: "Rollouts" })).toContainText("3 of 12 meters updated (25\u00a0%)");
  await expect(page.getByRole("table", { name: "Releases" }).locator("[data-state=withdrawn]")).toContainText("1.2.0");
});

test("where there is no root and no release, the commands that lead to one are there", async ({ page }) => {
  const made = { ...madeUpFirmware(), roots: [], releases: [], rollouts: [] };
  await answerFirmware(page, made);
  await open(page, "/firmware");
  const commands = page.getByTestId("firmware-commands").locator("code");
  await expect(commands).toHaveText([/^wattwitness keys root publish/, /^wattwitness firmware build/, /^wattwitness firmware sign/, /^wattwitness firmware publish/]);
});

test("a viewer sees all of it, is offered nothing, and is told why", async ({ page }) => {
  await answerFirmware(page, madeUpFirmware(), "viewer");
  for (const [path, needs] of [
    ["/firmware?do=upload", "This needs the role firmware engineer."],
    [`${release}?do=withdraw`, "This needs the role firmware engineer."],
    ["/firmware/rollouts/1", "This needs the role operator or firmware engineer."],
  ] as const) {
    await open(page, path);
    await expect(page.getByTestId("restricted").first()).toContainText(`${needs} You are logged in as Viewer.`);
    await expect(page.getByRole("button", { name: /Publish|Hand|Roll|Withdraw|Pause|Resume|Abort|try again/ })).toHaveCount(0);
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
});

test("an operator pauses at a click, and is told who may resume", async ({ page }) => {
  const made = madeUpFirmware();
  await answerFirmware(page, made, "operator");
  await open(page, "/firmware/rollouts/1");
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByTestId("rollout")).toHaveAttribute("data-state", "paused");
  expect(made.changes).toEqual([{ path: "/rollouts/1/pause", body: null }]);
  await expect(page.getByRole("button", { name: "Resume" })).toHaveCount(0);
  await expect(page.locator("main")).toContainText("To resume: This needs the role firmware engineer.");
  await expect(page.getByRole("button", { name: "Abort" })).toBeVisible();
});

test("an abort says what becomes of meters that have fetched, and is sent only when it is confirmed", async ({ page }) => {
  const made = madeUpFirmware();
  await answerFirmware(page, made, "operator");
  await open(page, "/firmware/rollouts/1");
  await page.getByRole("button", { name: "Abort" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("3 meters are fetching it or have fetched it, and do not start it: they keep running what they run.");
  await expect(dialog).toContainText("1 meter is trying it");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  expect(made.changes).toEqual([]);

  await page.getByRole("button", { name: "Abort" }).click();
  await dialog.getByRole("button", { name: "Abort the rollout" }).click();
  await expect(page.getByTestId("rollout")).toHaveAttribute("data-state", "aborted");
  expect(made.changes).toEqual([{ path: "/rollouts/1/abort", body: null }]);
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: /Pause|Resume|Abort/ })).toHaveCount(0);
});

test("a word that the gateway refuses stays in the dialog with its reason", async ({ page }) => {
  const made = madeUpFirmware();
  made.refusal = { status: 409, type: "/problems/rollout-conflict", title: "The rollout's state or its meters do not allow this", detail: "the rollout is over" };
  await answerFirmware(page, made, "operator");
  await open(page, "/firmware/rollouts/1");
  await page.getByRole("button", { name: "Abort" }).click();
  await page.getByRole("button", { name: "Abort the rollout" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("do not allow this: the rollout is over");
});

test("a release that the gateway refuses says why in its words, at the field; one that it takes is opened", async ({ page }) => {
  const made = madeUpFirmware();
  made.refusal = { status: 422, type: "/problems/release-untrusted", title: "The release is not trusted", detail: "1 of the 2 release keys that the root asks for have signed" };
  await answerFirmware(page, made);
  await open(page, "/firmware");
  await page.getByRole("button", { name: "Publish a release" }).click();
  await page.getByRole("button", { name: "Hand it to the gateway" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("choose one first");
  expect(made.changes).toEqual([]);

  await page.getByLabel("Signed release file").setInputFiles({ name: "meter.wwr", mimeType: "application/octet-stream", buffer: Buffer.alloc(4096, 7) });
  await page.getByRole("button", { name: "Hand it to the gateway" }).click();
  const problems = page.getByTestId("form-problems");
  await expect(problems.locator("[lang=en]")).toHaveText("The release is not trusted: 1 of the 2 release keys that the root asks for have signed");
  await expect(page.getByLabel("Signed release file")).toHaveAttribute("aria-invalid", "true");

  made.refusal = null;
  await page.getByRole("button", { name: "Hand it to the gateway" }).click();
  await expect(page.getByTestId("release")).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(release);
});

test("a rollout is said in sentences before it begins", async ({ page }) => {
  const made = madeUpFirmware();
  await answerFirmware(page, made);
  await open(page, release);
  await page.getByRole("button", { name: "Roll it out" }).click();
  await expect(page.getByTestId("wave-sizes")).toHaveText("8 meters now: 1 → 1 → 4 → 2");
  await page.getByLabel("Size of each wave").fill("2, 20 %");
  await page.getByRole("button", { name: "Check the plan" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("some meters are left out");
  await page.getByLabel("Size of each wave").fill("2, 100 %");
  await page.getByLabel("Start it only at certain hours").check();
  await page.getByRole("button", { name: "Check the plan" }).click();
  const plan = page.getByRole("dialog").getByTestId("plan");
  await expect(plan).toContainText("in 2 waves: 2 meters, then all that are left.");
  await expect(plan).toContainText("Meters start it between 22:00 and 05:00");
  expect(made.changes).toEqual([]);
  await page.getByRole("button", { name: "Start the rollout" }).click();
  await expect(page.getByTestId("rollout")).toBeVisible();
  expect(made.changes[0]).toMatchObject({ path: "/rollouts", body: { name: "1.4.0", waves: [{ count: 2 }, { percent: 100 }], soak_seconds: 3600, window: { from: "22:00", to: "05:00" } } });
});

test("a release is withdrawn only by who has typed its version", async ({ page }) => {
  const made = madeUpFirmware();
  await answerFirmware(page, made);
  await open(page, release);
  await page.getByRole("button", { name: "Withdraw" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("1.3.0");
  await dialog.getByRole("button", { name: "Withdraw the release" }).click();
  await expect(dialog.getByRole("alert")).toContainText("type the name “1.4.0” exactly");
  expect(made.changes).toEqual([]);
  await dialog.getByRole("textbox").fill("1.4.0");
  await dialog.getByRole("button", { name: "Withdraw the release" }).click();
  await expect(page.getByTestId("release")).toHaveAttribute("data-state", "withdrawn");
});

test("the live stream moves the bar, the state and the meters without a reload", async ({ page }) => {
  const made = madeUpFirmware();
  await answerFirmware(page, made);
  await open(page, "/firmware/rollouts/1");
  const row = page.getByRole("table", { name: "Meters" }).getByRole("row", { name: /^Mill/ });
  await expect(row).toHaveAttribute("data-state", "trial");
  const [rollout] = made.rollouts;
  const mill = made.devices.find(({ name }) => name === "Mill");
  if (!rollout || !mill) throw new Error("the made-up rollout has no such meter");
  Object.assign(mill, { rollout_state: "failed", failure: "rolled back (crashes)" });
  Object.assign(rollout, { state: "halted", reason: "halted: 2 of 6 meters of wave 3 failed; the limit is 30 %", counts: { ...rollout.counts, trial: 0, failed: 2 } });
  await tell(page, "rollout", summaryOf(rollout));
  await expect(page.getByTestId("rollout-now")).toContainText("2 of 6 meters of wave 3 failed; the limit is 30 %.");
  await expect(page.getByTestId("rollout-counts").locator("dd[data-stage=failed]")).toHaveText("2");
  await expect(row).toContainText("Went back. The new firmware crashed too often.");
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
});

test("a meter's page says what it runs, why it went back, and has the signed bytes to copy", async ({ page }) => {
  await answerFirmware(page, madeUpFirmware(), null);
  await open(page, failed);
  await expect(page.locator("main")).toContainText("Under the new firmware the sensor did not answer.");
  const report = page.getByTestId("report").first();
  await report.getByText("What it says, and its bytes").click();
  await expect(report.locator("code").filter({ hasText: /^0c/ }).first()).toBeVisible();
  await expect(report.getByRole("button", { name: "Copy: Signed bytes" })).toBeVisible();
});
