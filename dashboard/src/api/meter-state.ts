// What state a meter is in, since when and why, from what the gateway says of it. It deliberately puts nothing into words.

import { instantOf } from "../util/instant.ts";
import type { Installation, MeterStatus } from "./types.ts";

export type MeterStateName = "live" | "late" | "silent" | "waiting" | "revoked" | "replaced" | "never";

export interface MeterState {
  name: MeterStateName;
  since: number | null;
  /** What the operator wrote when he revoked the meter. */
  note: string | null;
}

/** An operator's decision goes before what was last heard: a revoked meter may still be sending, and the silence of a replaced one is in order. */
export function meterState(installation: Installation, status: MeterStatus | undefined): MeterState {
  const name = meterStateName(installation);
  return {
    name,
    since: name === "replaced" ? null : (instantOf(status?.since) ?? sinceOf(name, installation)),
    note: name === "revoked" ? status?.why || null : null,
  };
}

/** The name alone, for which the list of the meters says enough. */
export function meterStateName({ state, liveness, replaced_by }: Installation): MeterStateName {
  if (state !== "active") return state;
  return replaced_by === null ? liveness : "replaced";
}

/** Until when a meter is known to have run: `now` while it reports, and when it was last heard once it does not. */
export function knownUntil(installation: Installation, now: number): number {
  const name = meterStateName(installation);
  return name === "live" || name === "late" ? now : (instantOf(installation.last_seen_at) ?? now);
}

/** Whether any meter is in another state in one list than in the other, or is in one of them only. */
export function statesDiffer(before: readonly Installation[], after: readonly Installation[]): boolean {
  const known = new Map(before.map((installation) => [installation.id, installation]));
  if (before.length !== after.length) return true;
  return after.some((installation) => {
    const was = known.get(installation.id);
    return !was || meterStateName(was) !== meterStateName(installation);
  });
}

/** Whether a meter is to report: it was approved, and no other has taken its place. */
export function isInService({ state, replaced_by }: Installation): boolean {
  return state === "active" && replaced_by === null;
}

/** Whether a meter's newest power belongs in the park's power now. What was measured before the silence does not. */
export function countsNow(installation: Installation): boolean {
  return isInService(installation) && (installation.liveness === "live" || installation.liveness === "late");
}

/**
 * Whether a meter's energy is a part of the park's: a revoked meter's past stays produced, and that of a replaced one is
 * in the figures of the meter that follows it.
 */
export function countsInEnergy({ state, replaced_by }: Installation): boolean {
  return state !== "waiting" && replaced_by === null;
}

/**
 * Since when a meter measured, UNIX seconds: before it nothing is missing. It may have started long before the gateway heard of it, and what it measured
 * earlier still is shown all the same.
 */
export function beganAt({ created_at, last_boot_timestamp }: Installation): number {
  const never = Number.POSITIVE_INFINITY;
  return Math.min((instantOf(created_at) ?? never) / 1000, last_boot_timestamp ?? never);
}

function sinceOf(name: MeterStateName, installation: Installation): number | null {
  switch (name) {
    case "late":
    case "silent":
      return instantOf(installation.last_seen_at);
    case "waiting":
    case "never":
      return instantOf(installation.created_at);
    case "live":
      return installation.last_boot_timestamp === null ? null : installation.last_boot_timestamp * 1000;
    case "revoked":
    case "replaced":
      return null;
  }
}
