// What whoever starts the specs tells them (`cargo xtask test`): where the two demos are and which program is under test. Nothing is guessed; what is missing
// fails by its name.

import { readFileSync } from "node:fs";

function told(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set; \`cargo xtask test --only browser\` sets everything that these tests need`);
  return value;
}

/** The demo that nobody may read without a key. Its park may be changed. */
export function privateUrl(): string {
  return told("WATTWITNESS_PRIVATE_URL");
}

/** The key of that demo's administrator. */
export function adminKey(): string {
  return readFileSync(told("WATTWITNESS_ADMIN_KEY_FILE"), "utf8").trim();
}

/** The program `wattwitness`. */
export function binary(): string {
  return told("WATTWITNESS_BINARY");
}
