// The order of readings: newest measurement first. A meter that does not know the time yet has its readings placed by when the gateway received them.

import { instantOf } from "../util/instant.ts";
import type { Reading } from "./types.ts";

/** When a reading was measured as far as anyone knows, UNIX seconds. */
export function placeInTime(reading: Pick<Placed, "timestamp" | "created_at">): number {
  return reading.timestamp ?? Math.floor((instantOf(reading.created_at) ?? 0) / 1000);
}

/** What places a reading among others. */
type Placed = Pick<Reading, "timestamp" | "created_at" | "installation_id" | "sequence">;

/** A place in the list of records of all meters, just after this one: its time in UNIX seconds, its installation, its sequence. */
export type RecordPlace = readonly [timestamp: number, installation: number, sequence: number];

/** Sorts newest first; of one moment, by installation, and of one installation the last first. */
export function newestFirst(one: Placed, other: Placed): number {
  return placeInTime(other) - placeInTime(one) || one.installation_id - other.installation_id || other.sequence - one.sequence;
}
