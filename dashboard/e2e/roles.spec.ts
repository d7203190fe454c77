// Who sees and may do what: every page for nobody, viewers, operators and administrators, against a gateway that lets nobody read without a key.

import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import type { NewApiKeyAnswer } from "../src/api/administration.ts";
import type { Role, Session } from "../src/api/types.ts";
import { adminKey, privateUrl } from "./support/environment.ts";
import { logIn } from "./support/session.ts";

type Who = Role | "nobody";

const at = (path: string) => `${privateUrl()}${path}`;

/** Makes a key as the administrator, under a name that no other test uses. */
async function newKey(request: APIRequestContext, role: Role): Promise<NewApiKeyAnswer> {
  const response = await request.post(at("/api/v1/keys"), {
    headers: { authorization: `Bearer ${adminKey()}` },
    data: { name: `${role} ${crypto.randomUUID()}`, role },
  });
  expect(response.status(), await response.text()).toBe(201);
  return (await response.json()) as NewApiKeyAnswer;
}

async function enter(page: Page, request: APIRequestContext, who: Who): Promise<void> {
  if (who === "nobody") return;
  await logIn(page, who === "admin" ? adminKey() : (await newKey(request, who)).key);
}

/** What a role finds on a page: a heading or mark that is there, and the words in which the rest is refused. */
interface Expected {
  sees: string;
  refused: string | null;
}

const nobody = "Public read is off on this gateway. Log in with any key to read. You are not logged in.";
const needsOperator = "This needs the role operator. You are logged in as Viewer.";
const needsFirmware = (role: string) => `This needs the role firmware engineer. You are logged in as ${role}.`;
const needsAdmin = (role: string) => `This needs the role administrator. You are logged in as ${role}.`;

const pages: readonly { path: string; viewer: Expected; operator: Expected; admin: Expected }[] = [
  {
    path: "/",
    viewer: { sees: "[data-testid=park-power]", refused: null },
    operator: { sees: "[data-testid=park-power]", refused: null },
    admin: { sees: "[data-testid=park-power]", refused: null },
  },
  {
    path: "/meters/1",
    viewer: { sees: "h1", refused: null },
    operator: { sees: "h1", refused: null },
    admin: { sees: "h1", refused: null },
  },
  {
    path: "/installations",
    viewer: { sees: "table[aria-label='All meters']", refused: needsOperator },
    operator: { sees: "button:text('Enrol a meter')", refused: null },
    admin: { sees: "button:text('Enrol a meter')", refused: null },
  },
  {
    path: "/installations/1",
    viewer: { sees: "[data-testid=installation]", refused: needsOperator },
    operator: { sees: "button:text('Revoke')", refused: null },
    admin: { sees: "button:text('Revoke')", refused: null },
  },
  {
    path: "/firmware",
    viewer: { sees: "h1:text('Firmware')", refused: needsFirmware("Viewer") },
    operator: { sees: "h1:text('Firmware')", refused: needsFirmware("Operator") },
    admin: { sees: "button:text('Publish a release')", refused: null },
  },
  {
    path: "/keys",
    viewer: { sees: "h1:text('Keys')", refused: needsAdmin("Viewer") },
    operator: { sees: "h1:text('Keys')", refused: needsAdmin("Operator") },
    admin: { sees: "button:text('New key')", refused: null },
  },
  {
    path: "/audit",
    viewer: { sees: "h1:text('Audit')", refused: needsAdmin("Viewer") },
    operator: { sees: "h1:text('Audit')", refused: needsAdmin("Operator") },
    admin: { sees: "a:text('Export as CSV')", refused: null },
  },
];

for (const role of ["viewer", "operator", "admin"] as const) {
  test.describe(`as ${role}`, () => {
    for (const { path, [role]: expected } of pages) {
      test(`${path} shows what one may see, and why not the rest`, async ({ page, request }) => {
        await enter(page, request, role);
        await page.goto(at(path));
        await expect(page.locator(expected.sees).first()).toBeVisible();
        const reason = page.getByTestId("restricted");
        if (expected.refused === null) await expect(reason).toHaveCount(0);
        else await expect(reason.first()).toContainText(expected.refused);
      });
    }
  });
}

for (const { path } of [...pages, { path: "/installations?do=enrol" }]) {
  test(`as nobody, ${path} shows the log-in and nothing of the park`, async ({ page }) => {
    const answered: string[] = [];
    page.on("response", (response) => {
      const url = new URL(response.url());
      if (response.ok() && url.pathname.startsWith("/api/")) answered.push(url.pathname);
    });
    await page.goto(at(path));
    await expect(page.getByTestId("login")).toContainText(nobody);
    await expect(page.getByRole("navigation")).toHaveCount(0);
    expect(answered.filter((each) => each !== "/api/v1/session")).toEqual([]);
  });
}

test("what one may not do is not offered", async ({ page, request }) => {
  await enter(page, request, "viewer");
  await page.goto(at("/installations/1?do=revoke"));
  await expect(page.getByTestId("restricted").first()).toContainText(needsOperator);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: /Rename|Change|Replace|Revoke/ })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Keys" })).toHaveCount(0);
});

test("what a page does not offer, the gateway refuses as well", async ({ page, request }) => {
  await enter(page, request, "viewer");
  const session = (await (await page.request.get(at("/api/v1/session"))).json()) as Session;
  const response = await page.request.post(at("/api/v1/installations/1/label"), {
    headers: { "x-csrf-token": session.csrf_token ?? "" },
    data: { name: "Mine" },
  });
  expect(response.status()).toBe(403);
  expect(await response.json()).toMatchObject({ type: "/problems/forbidden" });
});

test("logging in leads back to the page and its filter, and leaves the key nowhere", async ({ page }) => {
  const urls: string[] = [];
  page.on("request", (request) => urls.push(request.url()));
  await page.goto(at("/audit?action=key"));
  const field = page.getByLabel("API key");
  await field.fill(adminKey());
  await page.getByRole("button", { name: "Log in" }).click();

  await expect(page.getByRole("link", { name: "Export as CSV" })).toBeVisible();
  expect(new URL(page.url()).search).toBe("?action=key");
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie, state: history.state as unknown }));
  for (const place of [kept, await page.content(), ...urls]) expect(place).not.toContain(adminKey());
});

test("a link to the log-in leads back to no other site", async ({ page }) => {
  await page.goto(at("/login?back=//example.com/"));
  await page.getByLabel("API key").fill(adminKey());
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByTestId("park-power")).toBeVisible();
  expect(page.url()).toBe(at("/"));
});

test("a wrong key is refused in words, at the field, and is not kept there", async ({ page }) => {
  await page.goto(at("/"));
  const field = page.getByLabel("API key");
  await field.fill("wwk_wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("This key is not known here");
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
});

test("logging out takes away what only the session could see", async ({ page }) => {
  await logIn(page);
  await page.goto(at("/keys"));
  await expect(page.getByRole("table")).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByTestId("login")).toBeVisible();
  await expect(page.getByRole("table")).toHaveCount(0);
  expect((await page.request.get(at("/api/v1/keys"))).status()).toBe(401);
});

test("a forged request with the session's cookie alone is refused", async ({ page }) => {
  await logIn(page);
  const forged = await page.request.post(at("/api/v1/keys"), { data: { name: "forged", role: "admin" } });
  expect(forged.status()).toBe(403);
  expect(await forged.json()).toMatchObject({ type: "/problems/csrf-token-wrong" });
  const wrong = await page.request.delete(at("/api/v1/keys/1"), { headers: { "x-csrf-token": "0".repeat(43) } });
  expect(wrong.status()).toBe(403);
});

test("the session's cookie is out of reach of scripts and of other sites", async ({ page }) => {
  await logIn(page);
  const cookies = await page.context().cookies(privateUrl());
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
});

test("a session ends with its key, and the page says so in its place and leads on from there", async ({ page, request }) => {
  const { id, key } = await newKey(request, "operator");
  await logIn(page, key);
  await page.goto(at("/installations/1"));
  await expect(page.getByRole("button", { name: /^Rename/ })).toBeVisible();

  const revoked = await request.delete(at(`/api/v1/keys/${String(id)}`), { headers: { authorization: `Bearer ${adminKey()}` } });
  expect(revoked.status()).toBe(204);
  await page.getByRole("button", { name: /^Rename/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("Never");
  await page.getByRole("button", { name: "Sign the Label" }).click();

  await expect(page.getByTestId("login")).toContainText("Your session has ended.");
  await page.getByLabel("API key").fill(adminKey());
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByTestId("installation")).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/installations/1");
});

test("where everybody may read, a session that ends is said on the page, which stays", async ({ page }) => {
  const standing: Session = { role: "operator", name: "control room", public_read: true, expires_at: null, csrf_token: "token", version: "1" };
  let hasEnded = false;
  await page.route("**/api/v1/session", (route) =>
    route.fulfill({ json: hasEnded ? { ...standing, role: null, name: null, csrf_token: null } : standing }),
  );
  await page.route("**/api/v1/installations/1/label", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", json: { type: "/problems/unauthorized", title: "A key is needed", status: 401, detail: "" } }),
  );
  // The demo at the default address lets everybody read.
  await page.goto("/installations/1");
  await page.getByRole("button", { name: /^Rename/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("Never");
  hasEnded = true;
  await page.getByRole("button", { name: "Sign the Label" }).click();

  await expect(page.getByTestId("session-ended")).toContainText("Your session has ended. Log in again to go on here.");
  await expect(page.getByTestId("installation")).toBeVisible();
  await expect(page.getByTestId("session-ended").getByRole("link", { name: "Log in" })).toHaveAttribute("href", /back=%2Finstallations%2F1/);
});
