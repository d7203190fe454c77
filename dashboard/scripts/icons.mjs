// Draws the icons of the installed dashboard from public/icon.svg: a white mark on the accent. Rounded where the system takes an icon as it is, to the edges and
// with the mark in the middle where it cuts one to its own shape. What it draws is committed.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { launchOptions } from "../e2e/chromium.mjs";

const folder = new URL("../public/", import.meta.url);
const mark = /<g [\s\S]*<\/g>/.exec(readFileSync(new URL("icon.svg", folder), "utf8"))?.[0].replace('class="a"', 'stroke="#fff"');
if (!mark) throw new Error("public/icon.svg has no group to draw");

/** `mark` is the width of the mark as a share of the icon, `radius` that of its corners. */
const icons = [
  { name: "icon-192.png", pixels: 192, share: 0.62, radius: 0.22 },
  { name: "icon-512.png", pixels: 512, share: 0.62, radius: 0.22 },
  { name: "icon-maskable-512.png", pixels: 512, share: 0.5, radius: 0 },
  { name: "apple-touch-icon.png", pixels: 180, share: 0.58, radius: 0 },
];

const browser = await chromium.launch(launchOptions);
for (const { name, pixels, share, radius } of icons) {
  const page = await browser.newPage({ viewport: { width: pixels, height: pixels } });
  const size = 32 / share;
  const start = (32 - size) / 2;
  await page.setContent(
    `<style>body{margin:0}svg{display:block}</style>
    <svg xmlns="http://www.w3.org/2000/svg" width="${pixels}" height="${pixels}" viewBox="${start} ${start} ${size} ${size}">
      <rect x="${start}" y="${start}" width="${size}" height="${size}" rx="${radius * size}" fill="#0b6b5c" />${mark}
    </svg>`,
  );
  const path = fileURLToPath(new URL(name, folder));
  writeFileSync(path, await page.screenshot({ omitBackground: true }));
  console.log(path);
  await page.close();
}
await browser.close();
