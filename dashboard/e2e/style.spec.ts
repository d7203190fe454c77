// The style page: everything that is drawn is on it, can be read in both themes, and fits on a phone.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("every pair of colours has the contrast that it needs", async ({ page }) => {
      await page.goto("/style");
      const pairs = page.getByTestId("contrast");
      await expect(pairs.first()).toHaveAttribute("data-ratio", /./);
      const measured = await pairs.evaluateAll((all) =>
        all.map((pair) => ({
          name: pair.textContent,
          ratio: Number(pair.getAttribute("data-ratio") ?? Number.NaN),
          least: Number(pair.getAttribute("data-least")),
        })),
      );
      expect(measured.length).toBeGreaterThan(15);
      expect(measured.filter(({ ratio, least }) => !(ratio >= least))).toEqual([]);
    });

    for (const width of [390, 1440]) {
      test(`axe finds nothing, and nothing is wider than ${String(width)} pixels`, async ({ page }) => {
        await page.setViewportSize({ width, height: 900 });
        await page.goto("/style");
        await page.locator("canvas").first().waitFor();
        await page.getByRole("button", { name: "Check" }).click();
        await expect(page.getByTestId("form-problems")).toBeVisible();
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      });
    }
  });
}
