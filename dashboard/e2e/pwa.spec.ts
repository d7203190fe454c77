// The dashboard as an installed app: what browsers ask for to install it, and that it starts without the network.

import { expect, test, type Page } from "@playwright/test";

/** Opens the park and waits until the worker keeps what the page is made of. */
async function openKept(page: Page): Promise<void> {
  await page.goto("/");
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
  await expect.poll(() => keptPaths(page)).toEqual(expect.arrayContaining(["/", "/theme.js", expect.stringMatching(/park-page-.*\.js/)]));
}

async function keptPaths(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    }
    return found;
  });
}

test("the manifest names a start and icons that are there, of the sizes it says", async ({ page, request }) => {
  await page.goto("/");
  const address = await page.locator('link[rel="manifest"]').getAttribute("href");
  const manifest = (await (await request.get(String(address))).json()) as {
    name: string;
    start_url: string;
    display: string;
    icons: { src: string; sizes: string; type: string; purpose?: string }[];
  };
  expect(manifest).toMatchObject({ name: "WattWitness", start_url: "/", display: "standalone" });
  expect(manifest.icons.some(({ purpose }) => purpose === "maskable")).toBe(true);
  for (const { src, sizes, type } of manifest.icons) {
    const response = await request.get(src);
    expect(response.headers()["content-type"], src).toContain(type);
    if (type !== "image/png") continue;
    const bytes = await response.body();
    expect(`${String(bytes.readUInt32BE(16))}x${String(bytes.readUInt32BE(20))}`, src).toBe(sizes);
  }
});

test("without the network the dashboard starts and says that it is offline", async ({ page, context }) => {
  await openKept(page);
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole("banner")).toContainText("WattWitness");
  await expect(page.getByTestId("banner")).toContainText("This device is offline");

  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(page.locator("[data-testid=park-power][data-watts]")).toBeVisible({ timeout: 45_000 });
});

test("nothing that the gateway says is kept", async ({ page }) => {
  await openKept(page);
  const paths = await keptPaths(page);
  expect(paths.filter((path) => /^\/(api|docs|problems|metrics|health)/.test(path))).toEqual([]);
});

test("the page of a new gateway is taken at the next load, and the files of the old one go", async ({ page }) => {
  await openKept(page);
  await page.evaluate(async () => {
    const cache = await caches.open("dashboard-1");
    await cache.put("/", new Response("<title>an older dashboard</title>", { headers: { "content-type": "text/html" } }));
    await cache.put("/assets/older.js", new Response("", { headers: { "content-type": "text/javascript" } }));
  });
  await page.reload();
  await page.locator("[data-testid=park-power][data-watts]").waitFor();
  await expect.poll(() => keptPaths(page)).not.toContain("/assets/older.js");
  expect(await page.evaluate(async () => (await (await caches.match("/"))?.text())?.includes("an older dashboard"))).toBe(false);
});

test("an address inside the app starts without the network too", async ({ page, context }) => {
  await openKept(page);
  await context.setOffline(true);
  await page.goto("/?sort=name");
  await expect(page.getByTestId("banner")).toContainText("This device is offline");
});
