// Writes src/api/schema.ts from the gateway's committed OpenAPI document; with --check it writes nothing and fails when the file is stale.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const source = new URL("../../docs/openapi.json", import.meta.url);
const target = new URL("../src/api/schema.ts", import.meta.url);
const check = process.argv.includes("--check");

if (check && !existsSync(target)) {
  // Nothing was generated yet, so nothing can be stale. Once it was, the document must be there and must agree.
  console.log("src/api/types.ts is still written by hand");
} else {
  const head = "// Generated from docs/openapi.json by `npm run generate`. Do not edit.\n\n";
  const wanted = head + astToString(await openapi(source, { alphabetize: true }));
  if (!check) {
    writeFileSync(target, wanted);
  } else if (readFileSync(target, "utf8") !== wanted) {
    console.error("src/api/schema.ts is stale: run `npm run generate` in dashboard and commit the result");
    process.exitCode = 1;
  }
}
