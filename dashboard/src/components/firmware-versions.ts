// Which firmware runs on how many meters, by the digest that the newest signed Boot record of each names. It puts nothing into words.

import type { FirmwareDevice, FirmwareRelease } from "../api/firmware.ts";
import type { Installation } from "../api/types.ts";

export interface RunningVersion {
  /** Of the payload; null for meters that have signed no Boot record yet. */
  digest: string | null;
  version: string | null;
  release: FirmwareRelease | null;
  meters: number;
  /** Of all meters in service. */
  share: number;
}

/** Most meters first; those of which nothing is known come last. */
export function runningVersions(
  installations: readonly Installation[],
  releases: readonly FirmwareRelease[],
  devices: readonly FirmwareDevice[],
): RunningVersion[] {
  const inService = installations.filter(({ state, replaced_by }) => state === "active" && replaced_by === null);
  const meters = new Map<string | null, number>();
  for (const { firmware_digest: digest } of inService) meters.set(digest, (meters.get(digest) ?? 0) + 1);
  const rows = Array.from(meters, ([digest, count]): RunningVersion => {
    const release = releases.find(({ payload_digest }) => payload_digest === digest) ?? null;
    const said = digest === null ? undefined : devices.find(({ running_digest }) => running_digest === digest);
    return { digest, version: release?.version ?? said?.running_version ?? null, release, meters: count, share: count / inService.length };
  });
  return rows.toSorted((one, other) => Number(one.digest === null) - Number(other.digest === null) || other.meters - one.meters);
}
