// Writes src/api/schema.ts from the gateway's committed OpenAPI document; with --check it writes nothing and fails when the file is stale.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const source = new URL("../../docs/openapi.json", import.meta.url);
const target = new URL("../src/api/schema.ts", import.meta.url);
const check = process.argv.includes("--check");

const head = "// Generated from docs/openapi.json by `npm run generate`. Do not edit.\n\n";
const wanted = head + astToString(await openapi(source, { alphabetize: true }));
if (!check) {
  writeFileSync(target, wanted);
} else if (!existsSync(target) || readFileSync(target, "utf8") !== wanted) {
  console.error("src/api/schema.ts is stale: run `npm run generate` in dashboard and commit the result");
  process.exitCode = 1;
}
