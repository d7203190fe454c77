// By what a reading is verified. It repeats the gateway's word and checks no signature itself.

import type { Reading } from "./types.ts";

export type SignatureState = "own" | "sealed" | "unverified";

export function signatureState(reading: Reading): SignatureState {
  if (!reading.is_verified) return "unverified";
  return reading.signature === null ? "sealed" : "own";
}
