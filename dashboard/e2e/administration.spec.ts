// What operators and administrators do, done on the pages and held against what the gateway then says: meters from the announcement to the end, keys, the trail.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import type { InstallationDetail } from "../src/api/types.ts";
import { adminKey, privateUrl } from "./support/environment.ts";
import { shiftOf, watchShifts } from "./support/layout-shift.ts";
import { newMeterKey, type MeterKey } from "./support/meter-key.ts";
import { logIn } from "./support/session.ts";

const at = (path: string) => `${privateUrl()}${path}`;

let count = 0;

/** A MAC address that no other test's sensor has. */
function newMac(): string {
  count += 1;
  return `02${Date.now().toString(16).slice(-8).padStart(8, "0")}${count.toString(16).padStart(2, "0")}`;
}

/** Announces a meter as its own program would; the answer is its number. */
async function announce(page: Page, key: MeterKey, name: string, proposal: object = {}): Promise<number> {
  const response = await page.request.post(at("/api/v1/installations/"), { data: { name, public_key: key.publicKey, time_zone: "Europe/Madrid", ...proposal } });
  expect(response.status(), await response.text()).toBe(201);
  return ((await response.json()) as { id: number }).id;
}

async function installationOf(page: Page, id: number): Promise<InstallationDetail> {
  return (await (await page.request.get(at(`/api/v1/installations/${String(id)}`))).json()) as InstallationDetail;
}

/** Announces and approves a meter on its page; the answer is its number. */
async function approved(page: Page, name: string): Promise<number> {
  const key = newMeterKey();
  const id = await announce(page, key, name, { sensor_model: "shelly_em_gen1", shelly_mac: newMac(), rated_power_w: 3200 });
  await page.goto(at(`/installations/${String(id)}`));
  await page.getByLabel("Fingerprint as the meter itself shows it").fill(key.fingerprint);
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "active");
  return id;
}

const entry = (page: Page, kind: string) => page.locator(`[data-testid=history-entry][data-kind=${kind}]`);

test.beforeEach(async ({ page }) => {
  await logIn(page);
});

test("a meter is enrolled by hand, and approved only with the right fingerprint", async ({ page }) => {
  const key = newMeterKey();
  const name = `Barn ${key.fingerprint}`;
  await page.goto(at("/installations"));
  await page.getByRole("button", { name: "Enrol a meter" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Time zone").selectOption("Europe/Madrid");
  await page
    .getByLabel("Public key")
    .fill(`key file    meter.key\npublic key  ${key.publicKey}\nid          ${"0".repeat(64)}\nfingerprint ${key.fingerprint}`);
  await page.getByRole("button", { name: "Announce and go on to the approval" }).click();

  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  const id = Number(new URL(page.url()).pathname.split("/").at(-1));
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "waiting");

  // Nothing is sent before everything is said.
  await page.getByRole("button", { name: "Sign and approve" }).click();
  const problems = page.getByTestId("form-problems");
  await expect(problems).toBeFocused();
  await expect(problems).toContainText("Fingerprint: type all four groups");
  await expect(problems).toContainText("Sensor: choose the model.");
  await expect(problems).toContainText("MAC address: 12 hex digits");
  await expect(problems).toContainText("Rated power: a whole number of watts");
  await problems.getByRole("link", { name: /^Rated power/ }).click();
  await expect(page.getByLabel("Rated power")).toBeFocused();
  await expect(page.getByLabel("Rated power")).toHaveAttribute("aria-invalid", "true");

  await page.getByRole("combobox", { name: "Sensor" }).selectOption("shelly_em_gen1");
  const mac = newMac();
  await page.getByLabel("MAC address").fill(mac);
  await page.getByLabel("Rated power").fill("3200");
  await page.getByLabel("Latitude").fill("40.4168, -3.7038");
  await expect(page.getByLabel("Longitude")).toHaveValue("-3.7038");
  await page.getByLabel("Tilt").fill("32,5");
  await page.getByLabel("CT ratio").fill("1.5");

  const wrong = key.fingerprint.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
  await page.getByLabel("Fingerprint as the meter itself shows it").fill(wrong);
  await expect(page.getByTestId("fingerprint-verdict")).toHaveAttribute("data-verdict", "differs");
  await expect(page.getByText(`Group 1: the gateway was told ${key.fingerprint.slice(0, 4)}, the meter shows ${wrong.slice(0, 4)}.`)).toBeVisible();
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(problems).toContainText("Do not approve this key");
  expect((await installationOf(page, id)).state).toBe("waiting");

  await page.getByLabel("Fingerprint as the meter itself shows it").fill(key.fingerprint);
  await expect(page.getByTestId("fingerprint-verdict")).toHaveAttribute("data-verdict", "same");
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "active");

  const { enrolment, timezone } = await installationOf(page, id);
  expect(timezone).toBe("Europe/Madrid");
  expect(enrolment).toMatchObject({
    shelly_mac: mac.toUpperCase(),
    rated_power_w: 3200,
    latitude_e7: 404_168_000,
    longitude_e7: -37_038_000,
    tilt_decidegrees: 325,
    azimuth_decidegrees: null,
    ct_ratio_milli: 1500,
  });
  await expect(entry(page, "enrolment")).toContainText("The meter has not countersigned yet.");
  await entry(page, "enrolment").getByText("What it says, and its bytes").click();
  await expect(entry(page, "enrolment")).toContainText("3.20 kW");
});

test("a history that is refused says why in the gateway's words, and comes at the next try", async ({ page }) => {
  const id = await approved(page, "Refused");
  const history = `**/api/v1/installations/${String(id)}/history`;
  const refusal = { type: "about:blank", title: "The history is being repaired", status: 409 };
  await page.route(history, (route) => route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(refusal) }));
  await page.reload();
  const alert = page.getByRole("alert").filter({ hasText: refusal.title });
  await expect(alert.locator("[lang=en]")).toHaveText(refusal.title);
  await page.unroute(history);
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(entry(page, "enrolment")).toBeVisible();
  await expect(alert).toHaveCount(0);
});

test.describe("to somebody who is far from the site", () => {
  test.use({ timezoneId: "America/New_York" });

  test("times say with their dates whose they are: the site's on a meter's page, the reader's in lists", async ({ page }) => {
    const key = newMeterKey();
    const id = await announce(page, key, `Barn ${key.fingerprint}`);
    const announced = Date.parse(`${(await installationOf(page, id)).created_at}Z`);
    const shown = (timeZone: string) =>
      new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone }).format(announced);

    await page.goto(at(`/installations/${String(id)}`));
    await expect(page.getByText("Times are those of Europe/Madrid.")).toBeVisible();
    await expect(page.locator("time").first()).toHaveText(shown("Europe/Madrid"));

    await page.goto(at("/installations"));
    await expect(page.getByText("Times are those of America/New York.")).toBeVisible();
    await expect(page.getByRole("row", { name: key.fingerprint.slice(0, 4) }).locator("time")).toHaveText([shown("America/New_York")]);

    await page.goto(at("/keys"));
    await expect(page.getByText("Times are those of America/New York.")).toBeVisible();
  });
});

test("a fingerprint is compared by eye group by group, and a single tick passes nothing", async ({ page }) => {
  const key = newMeterKey();
  const id = await announce(page, key, "By eye", { sensor_model: "shelly_em_gen1", shelly_mac: newMac(), rated_power_w: 800 });
  await page.goto(at(`/installations/${String(id)}`));
  await page.getByText("I cannot type it").click();
  const ticks = page.getByRole("checkbox", { name: /^Group \d: the meter shows/ });
  await expect(ticks).toHaveCount(4);
  await ticks.first().check();
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Fingerprint:");
  for (const tick of await ticks.all()) await tick.check();
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "active");
});

test("what the gateway refuses is said at the field that it concerns", async ({ page }) => {
  const held = await installationOf(page, await approved(page, "Holds the sensor"));
  const key = newMeterKey();
  const id = await announce(page, key, "Wants the sensor", { sensor_model: "shelly_em_gen1", shelly_mac: held.shelly_mac ?? "", rated_power_w: 800 });
  await page.goto(at(`/installations/${String(id)}`));
  await page.getByLabel("Fingerprint as the meter itself shows it").fill(key.fingerprint);
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("this channel of the sensor belongs to another meter in service");
  await expect(page.getByLabel("MAC address")).toHaveAttribute("aria-invalid", "true");
});

test("a meter is renamed by a Label that stays in its record", async ({ page }) => {
  const id = await approved(page, "Old name");
  await page.getByRole("button", { name: /^Rename/ }).click();
  await page.getByLabel("Name", { exact: true }).fill(" ");
  await page.getByRole("button", { name: "Sign the Label" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Name: 1 to 64 bytes");
  await page.getByLabel("Name", { exact: true }).fill("Neuer Name mit Ümlaut");
  await page.getByRole("button", { name: "Sign the Label" }).click();

  await expect(page.getByRole("heading", { level: 1, name: "Neuer Name mit Ümlaut" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Rename/ })).toBeFocused();
  expect((await installationOf(page, id)).name).toBe("Neuer Name mit Ümlaut");
  await entry(page, "label").first().getByText("What it says, and its bytes").click();
  await expect(entry(page, "label").first()).toContainText("Neuer Name mit Ümlaut");
});

test("what a meter measures is changed by a new Enrolment, and the one before stays", async ({ page }) => {
  const id = await approved(page, "To be changed");
  await page.getByRole("button", { name: /^Change what it measures/ }).click();
  await page.getByRole("button", { name: "Check the change" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Nothing is changed yet.");
  await page.getByLabel("Rated power").fill("3600");
  await page.getByLabel("Export counter: production makes the power negative").check();
  await page.getByRole("button", { name: "Check the change" }).click();

  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("row", { name: /Rated power/ })).toContainText("3600");
  await expect(dialog).toContainText("The meter has to countersign it.");
  await expect(dialog).toContainText("The Enrolment before stays in the record");
  await dialog.getByRole("button", { name: "Sign the Enrolment" }).click();

  await expect(page.getByText("No. 2, countersignature pending")).toBeVisible();
  await expect(entry(page, "enrolment")).toHaveCount(2);
  expect((await installationOf(page, id)).enrolment).toMatchObject({ number: 2, rated_power_w: 3600, production_counter: "total_returned" });
});

test("a meter that measures countersigns its new Enrolment by itself", async ({ page }) => {
  const number = ((await installationOf(page, 1)).enrolment?.number ?? 0) + 1;
  await page.goto(at("/installations/1?do=change"));
  await page.getByLabel("Grid connection").fill(`DE-${String(number)}`);
  await page.getByRole("button", { name: "Check the change" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign the Enrolment" }).click();
  await expect(page.getByText(`No. ${String(number)}, countersigned by the meter`)).toBeVisible({ timeout: 45_000 });
});

test("a revocation asks for the name, says what follows, and stays in the record", async ({ page }) => {
  const id = await approved(page, "To be revoked");
  await page.getByRole("button", { name: /^Revoke/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("nothing that this key signs is taken");
  await dialog.getByLabel("Lost or stolen").check();
  await dialog.getByLabel("Note").fill("with the barn");
  await dialog.getByRole("button", { name: "Revoke for good" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Confirmation: type the name");
  expect((await installationOf(page, id)).state).toBe("active");

  await dialog.getByLabel("To confirm, type the name").fill("To be revoked");
  await dialog.getByRole("button", { name: "Revoke for good" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "revoked");
  await expect(page.getByText("This meter’s key is revoked: Lost or stolen.")).toContainText("Note: with the barn");
  await expect(page.getByRole("button", { name: /^(Rename|Change|Replace|Revoke)/ })).toHaveCount(0);
  await expect(entry(page, "revocation")).toHaveCount(1);
});

test("a dialog is left by Escape, changes nothing, and gives the focus back", async ({ page }) => {
  await page.goto(at("/installations/1"));
  const revoke = page.getByRole("button", { name: /^Revoke/ });
  await revoke.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(revoke).toBeFocused();
  expect((await installationOf(page, 1)).state).toBe("active");
});

test("a key that nobody knows is refused", async ({ page }) => {
  const id = await announce(page, newMeterKey(), "Stranger");
  await page.goto(at("/installations"));
  await expect(page.getByTestId("waiting")).toContainText("Stranger");
  await page.getByRole("link", { name: "Compare and approve Stranger" }).click();
  await page.getByRole("button", { name: /^Refuse this key/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Another reason").check();
  await dialog.getByLabel("To confirm, type the name").fill("Stranger");
  await dialog.getByRole("button", { name: "Revoke for good" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "revoked");
  expect((await installationOf(page, id)).state).toBe("revoked");
});

test("a meter takes the place of another, and lifetime goes on", async ({ page }) => {
  const meters = (await (await page.request.get(at("/api/v1/installations/"))).json()) as InstallationDetail[];
  // One of the simulated park, as only a meter with a chain can end; the first stays for other tests.
  const old = meters.findLast(({ id, liveness, replaced_by }) => id > 1 && liveness === "live" && replaced_by === null);
  expect(old, "a live meter that can be replaced").toBeDefined();
  if (!old) return;
  const lifetime = async (id: number) =>
    ((await (await page.request.get(at(`/api/v1/installations/${String(id)}/energy`))).json()) as { lifetime_wh: number }).lifetime_wh;
  const before = await lifetime(old.id);
  const key = newMeterKey();
  const name = `Follows ${key.fingerprint}`;
  const id = await announce(page, key, name, { sensor_model: "shelly_em_gen1", shelly_mac: newMac(), rated_power_w: 3200 });

  await page.goto(at(`/installations/${String(old.id)}`));
  await page.getByRole("button", { name: /^Replace/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("The lifetime total goes on with the new meter.");
  await dialog.getByLabel("The meter that follows").selectOption(String(id));
  await dialog.getByRole("button", { name: "Go on to its approval" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByLabel("This meter follows")).toHaveValue(String(old.id));
  await page.getByLabel("Fingerprint as the meter itself shows it").fill(key.fingerprint);
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await expect(page.getByTestId("form-problems")).toContainText(`type the name “${old.name}”`);
  await page.getByLabel("To confirm, type the name").fill(old.name);
  await page.getByRole("button", { name: "Sign and approve" }).click();

  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "active");
  await expect(page.getByRole("link", { name: old.name })).toBeVisible();
  await expect(entry(page, "replacement")).toHaveCount(1);
  expect(await lifetime(id)).toBeGreaterThanOrEqual(before);
  await page.goto(at(`/installations/${String(old.id)}`));
  await expect(page.getByText("Another meter has taken its place.").first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Replace/ })).toHaveCount(0);
});

test("a key is made, shown once, used, and ends with its session", async ({ page, browser }) => {
  const name = `spec ${crypto.randomUUID()}`;
  await page.goto(at("/keys"));
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Name: 1 to 64 characters");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Operator").check();
  await page.getByLabel("In 30 days").check();
  await page.getByRole("button", { name: "Make the key" }).click();

  const shown = page.getByTestId("new-key");
  const key = await shown.innerText();
  expect(key).toMatch(/^wwk_/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(shown).toBeVisible();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("Store the key first");
  await page.getByLabel("I have stored it in a safe place").check();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(shown).toHaveCount(0);
  await expect(page.locator("html")).not.toContainText(key);
  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row).toContainText("Operator");

  const other = await browser.newPage();
  await other.goto(at("/installations"));
  await other.getByLabel("API key").fill(key);
  await other.getByRole("button", { name: "Log in" }).click();
  await expect(other.getByRole("button", { name: "Enrol a meter" })).toBeVisible();

  await row.getByRole("button", { name: `Revoke the key ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke the key" }).click();
  await expect(row).toContainText("Revoked");
  expect((await other.request.get(at("/api/v1/installations/"))).status()).toBe(401);
  await other.reload();
  await expect(other.getByTestId("login")).toBeVisible();
  await other.close();
});

test("whoever revokes his own key is told that he ends his session", async ({ page }) => {
  const name = `own ${crypto.randomUUID()}`;
  const made = await page.request.post(at("/api/v1/keys"), { headers: { authorization: `Bearer ${adminKey()}` }, data: { name, role: "admin" } });
  await page.context().clearCookies();
  await logIn(page, ((await made.json()) as { key: string }).key);
  await page.goto(at("/keys"));
  await page.getByRole("button", { name: `Revoke the key ${name}` }).click();
  await expect(page.getByRole("dialog")).toContainText("your session ends with it");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke it and end my session" }).click();
  await expect(page.getByTestId("login")).toContainText("Your session has ended.");
});

test("the audit trail says who did each of it, and is filtered and exported by the address", async ({ page }) => {
  const id = await approved(page, "For the trail");
  await page.getByRole("button", { name: /^Rename/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("Renamed for the trail");
  await page.getByRole("button", { name: "Sign the Label" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Renamed for the trail" })).toBeVisible();
  await page.getByRole("button", { name: /^Revoke/ }).click();
  await page.getByLabel("To confirm, type the name").fill("Renamed for the trail");
  await page.getByRole("button", { name: "Revoke for good" }).click();
  await expect(page.getByTestId("installation")).toHaveAttribute("data-state", "revoked");

  await page.goto(at("/audit"));
  await page.getByLabel("To what (part of it)").fill(`installation ${String(id)}`);
  await page.getByRole("button", { name: "Apply the filter" }).click();
  const rows = page.getByRole("row");
  for (const action of ["installation.approve", "installation.label", "installation.revoke"]) {
    await expect(page.locator(`tr[data-state="${action}"]`).first()).toContainText("admin");
  }
  expect(new URL(page.url()).searchParams.get("subject")).toBe(`installation ${String(id)}`);

  await page.getByLabel("Did what").selectOption("installation.revoke");
  await page.getByRole("button", { name: "Apply the filter" }).click();
  await expect(rows).toHaveCount(2);
  await page.reload();
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(1)).toContainText("revoked a meter");
  await expect(rows.nth(1).locator("time")).toHaveAttribute("title", /UTC$/);

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as CSV" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/\.csv$/);
  const href = String(await page.getByRole("link", { name: "Export as CSV" }).getAttribute("href"));
  const csv = await (await page.request.get(at(href))).text();
  expect(csv.trim().split(/\r?\n/)).toHaveLength(2);
  expect(csv).toContain("installation.revoke");

  await page.getByRole("button", { name: "Clear" }).click();
  expect(new URL(page.url()).search).toBe("");
  await expect(rows.nth(2)).toBeVisible();
  await page.getByLabel("From day").fill("2026-02-02");
  await page.getByLabel("To day").fill("2026-02-01");
  await page.getByRole("button", { name: "Apply the filter" }).click();
  await expect(page.getByTestId("form-problems")).toContainText("To day: it is before the first day.");
});

test("older lines of the audit trail follow without a hole", async ({ page }) => {
  // Each log-in leaves a line: more than a page of them.
  for (let made = 0; made < 52; made += 1) await logIn(page);
  await page.goto(at("/audit"));
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(50);
  const ids = ((await (await page.request.get(at("/api/v1/audit?limit=100"))).json()) as { id: number }[]).map(({ id }) => id);
  await page.getByRole("button", { name: "Older" }).click();
  await expect(page.getByRole("button", { name: "Newest" })).toBeVisible();
  expect(new URL(page.url()).searchParams.get("before")).toBe(String(ids[49]));
  await page.goBack();
  await expect(page.getByRole("button", { name: "Newest" })).toHaveCount(0);
});

const views = [
  "/installations",
  "/installations?do=enrol",
  "/installations/1",
  "/installations/1?do=rename",
  "/installations/1?do=change",
  "/installations/1?do=replace",
  "/installations/1?do=revoke",
  "/keys",
  "/keys?do=create",
  "/audit",
];

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [320, 1280]) {
    test.describe(`${String(width)} px, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });

      for (const path of [...views, "waiting", "login", "/login"]) {
        test(`axe finds nothing and nothing is too wide: ${path}`, async ({ page }) => {
          if (path.endsWith("login")) await page.context().clearCookies();
          const waiting = path === "waiting" ? await announce(page, newMeterKey(), "Waits") : null;
          await page.goto(at(waiting === null ? (path === "login" ? "/" : path) : `/installations/${String(waiting)}`));
          await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
          if (path.startsWith("/installations/") || waiting !== null) await expect(page.getByRole("heading", { name: "The record" })).toBeVisible();
          if (/rename|replace|revoke|create/.test(path)) await expect(page.getByRole("dialog")).toBeVisible();
          else if (path.includes("do=") || waiting !== null) await expect(page.getByRole("form").first()).toBeVisible();
          if (waiting !== null) {
            await page.getByLabel("Fingerprint as the meter itself shows it").fill("0000-0000-0000-0000");
            await page.getByRole("button", { name: "Sign and approve" }).click();
            await expect(page.getByTestId("form-problems")).toBeVisible();
          }
          const { violations } = await new AxeBuilder({ page })
            .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
            .analyze();
          expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(overflow).toBeLessThanOrEqual(0);
          if (waiting !== null) {
            // The place of those that wait is small: this one makes room for the next.
            await refuse(page, waiting);
          }
        });
      }
    });
  }
}

for (const path of ["/installations", "/keys", "/audit"]) {
  test(`nothing shifts while ${path} loads`, async ({ page }) => {
    await watchShifts(page);
    await page.goto(at(path));
    await expect(page.getByRole("table").getByRole("row").nth(1)).toBeVisible();
    await page.waitForLoadState("load");
    expect(await shiftOf(page)).toBeLessThan(0.02);
  });
}

async function refuse(page: Page, id: number): Promise<void> {
  const response = await page.request.post(at(`/api/v1/installations/${String(id)}/revoke`), {
    headers: { authorization: `Bearer ${adminKey()}` },
    data: { reason: "other", note: "made by a test" },
  });
  expect(response.status(), await response.text()).toBe(200);
}
