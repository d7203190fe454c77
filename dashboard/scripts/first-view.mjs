// Measures the JavaScript that the first view loads, gzipped: the entry, the park's page and its English texts. Fails when it is over budget. The build
// runs it and ends with it: the manifest that it reads is taken out, because all of dist is embedded in the gateway.

import { readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgetKb = 150;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

/** Adds a chunk and everything it imports at once. */
function filesOf(key, seen) {
  if (seen.has(key)) return;
  if (!manifest[key]) throw new Error(`the manifest does not name ${key}`);
  seen.add(key);
  for (const imported of manifest[key].imports ?? []) filesOf(imported, seen);
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
if (!entry) throw new Error("the manifest names no entry");
const texts = ["app", "park", "record"].map((area) => `src/locales/en/${area}.json?lingui`);
const chunks = new Set();
for (const key of [entry, "src/pages/park-page.tsx", ...texts]) filesOf(key, chunks);
const bytes = ["theme.js", ...Array.from(chunks, (key) => manifest[key].file)]
  .map((file) => gzipSync(readFileSync(new URL(file, dist))).length)
  .reduce((sum, size) => sum + size, 0);
rmSync(new URL(".vite/", dist), { recursive: true });
const kb = (bytes / 1000).toFixed(1);
console.log(`first view: ${kb} kB of JavaScript, gzipped (budget ${budgetKb} kB)`);
if (bytes > budgetKb * 1000) process.exitCode = 1;
