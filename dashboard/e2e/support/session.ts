// How a spec logs in without the form: by the API, into the cookies of the page's own browser.

import { expect, type Page } from "@playwright/test";
import { adminKey, privateUrl } from "./environment.ts";

/** Logs the page in to the private demo, as its administrator where no other key is given. */
export async function logIn(page: Page, key = adminKey()): Promise<void> {
  const response = await page.request.post(`${privateUrl()}/api/v1/session`, { data: { key } });
  expect(response.status(), await response.text()).toBe(200);
}
