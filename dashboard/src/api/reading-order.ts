// The order of readings: newest measurement first. A meter that does not know the time yet has its readings placed by when the gateway received them.

import { instantOf } from "../util/instant.ts";
import type { Reading } from "./types.ts";

/** When a reading was measured as far as anyone knows, UNIX seconds. */
export function placeInTime(reading: Reading): number {
  return reading.timestamp ?? Math.floor((instantOf(reading.created_at) ?? 0) / 1000);
}

/** Sorts newest first; of one moment, by installation. */
export function newestFirst(one: Reading, other: Reading): number {
  return placeInTime(other) - placeInTime(one) || one.installation_id - other.installation_id || other.sequence - one.sequence;
}
