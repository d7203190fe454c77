// Measures the JavaScript that the first view loads, gzipped, and fails when it is over budget. The build runs it and ends with it: the manifest that it
// reads is taken out, because all of dist is embedded in the gateway.

import { readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgetKb = 150;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

/** The files of an entry and everything it imports at once. */
function filesOf(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const imported of manifest[key].imports ?? []) filesOf(imported, seen);
  return seen;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
if (!entry) throw new Error("the manifest names no entry");
const files = [...filesOf(entry)].map((key) => manifest[key].file);
const bytes = ["theme.js", ...files]
  .map((file) => gzipSync(readFileSync(new URL(file, dist))).length)
  .reduce((sum, size) => sum + size, 0);
rmSync(new URL(".vite/", dist), { recursive: true });
const kb = (bytes / 1000).toFixed(1);
console.log(`first view: ${kb} kB of JavaScript, gzipped (budget ${budgetKb} kB)`);
if (bytes > budgetKb * 1000) process.exitCode = 1;
