// The newest records of all meters as one list. It says of which meters the list has to be filled up, and asks for nothing.

import { newestFirst } from "./reading-order.ts";
import type { Reading } from "./types.ts";

/** How many are kept beside the latest of each meter: told while the list is held, bounded over a day on a wall. */
export const parkRecordsKept = 240;

export interface ParkRecords {
  /** The latest of each meter and what came since, newest first. */
  readings: readonly Reading[];
  /** Records that the gateway named as the latest: what their meters measured before them is not here. */
  answered: ReadonlySet<number>;
}

/** Puts a record that came into its place. */
export function withLatest({ readings, answered }: ParkRecords, reading: Reading): ParkRecords {
  const others = readings.filter(({ id }) => id !== reading.id);
  return { readings: bounded([...others, reading].toSorted(newestFirst)), answered };
}

function bounded(readings: readonly Reading[]): readonly Reading[] {
  const met = new Set<number>();
  return readings.filter(({ installation_id }, place) => {
    const isLatest = !met.has(installation_id);
    met.add(installation_id);
    return isLatest || place < parkRecordsKept;
  });
}

/**
 * The meters whose own lists complete the first `count` records of a park: the latest that was named is still among the first, so what was measured
 * before it may be, too. Of many live meters these are soon none.
 */
export function unfinishedMeters(readings: readonly Reading[], answered: ReadonlySet<number>, count: number): number[] {
  return readings.slice(0, count).flatMap(({ id, installation_id }) => (answered.has(id) ? [installation_id] : []));
}

/**
 * The meters that may have a record of a sealed window among the first `count`: two are newer than that by the time that the seal is known, see
 * `sealedBy`. The proof is in their own lists.
 */
export function sealableMeters(readings: readonly Reading[], count: number): number[] {
  const first = readings.slice(0, count).map(({ installation_id }) => installation_id);
  return first.filter((installation, place) => first.slice(0, place).filter((other) => other === installation).length === 2);
}
