// Readings for tests.

import type { Reading } from "./types.ts";

/** A verified reading of meter 1, taken at a UNIX second, with the device's sum so far. */
export function readingAt(timestamp: number, producedWattHours = 0, rest: Partial<Reading> = {}): Reading {
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
    meter_id: null,
    sequence: timestamp,
    produced_wh: producedWattHours,
    flags: [],
    record: null,
    window_id: null,
    proof: null,
    ...rest,
  };
}
