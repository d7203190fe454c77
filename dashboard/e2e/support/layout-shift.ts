// How far things move on a page that nobody touches, by the browser's own measure. It judges nothing.

import type { Page } from "@playwright/test";

/** Measures from the page's first paint on; to be called before it is opened. */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** The sum of all shifts so far, in parts of the screen. */
export async function shiftOf(page: Page): Promise<number> {
  return await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts.reduce((total, value) => total + value, 0));
}
