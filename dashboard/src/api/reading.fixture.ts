// Readings for tests.

import type { Reading } from "./types.ts";

/** A verified reading of meter 1 whose record carries the given sum in mWh. */
export function readingAt(timestamp: number, producedMilliwattHours = 0n, rest: Partial<Reading> = {}): Reading {
  const produced = producedMilliwattHours.toString(16).padStart(16, "0");
  return {
    id: timestamp,
    installation_id: 1,
    power_w: 100,
    total_wh: 0,
    timestamp,
    signature: "00",
    is_verified: true,
    created_at: new Date(timestamp * 1000).toISOString(),
    verification_timestamp: null,
    is_on_chain: false,
    blockchain_tx_hash: null,
    blockchain_block_number: null,
    record: `0101${"00".repeat(87)}${produced}${"00".repeat(20)}`,
    window_id: null,
    proof: null,
    ...rest,
  };
}
