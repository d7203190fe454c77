// How far a rollout, a wave and a meter are, as shares. It puts nothing into words and draws nothing.

import type { RolloutCounts, RolloutDevice } from "../api/firmware.ts";

/** How a meter can be in a rollout, the furthest first; failed ones stand at the end of a bar, where they are looked for. */
export const stages = ["updated", "trial", "staged", "fetching", "waiting", "failed"] as const satisfies readonly (keyof RolloutCounts)[];

export function metersOf(counts: RolloutCounts): number {
  return stages.reduce((sum, stage) => sum + counts[stage], 0);
}

/** The share of those that run the release, of all; 0 of none. Never 1 while one is missing, and never 0 when one is done. */
export function updatedPercent(counts: RolloutCounts): number {
  return wholePercent(counts.updated, metersOf(counts));
}

/** How far a meter has fetched. Null when there is nothing to fetch or it has said nothing of it. */
export function fetchedPercent({ done_bytes: done, total_bytes: total }: Pick<RolloutDevice, "done_bytes" | "total_bytes">): number | null {
  return total === 0 ? null : wholePercent(done, total);
}

/** Rounded so that only all is 100 and only nothing is 0. */
function wholePercent(part: number, whole: number): number {
  if (whole <= 0 || part <= 0) return 0;
  if (part >= whole) return 100;
  return Math.min(99, Math.max(1, Math.round((part / whole) * 100)));
}
