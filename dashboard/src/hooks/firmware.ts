// What people do with releases and rollouts. Each change has what it concerns asked for anew.

import { firmwareChanges, firmwareKeys, publishRelease, type NewRollout, type RolloutOrder } from "../api/firmware.ts";
import { useChange } from "./session.ts";

export function usePublish() {
  return useChange(
    ({ file, onProgress }: { file: Blob; onProgress: (bytes: number) => void }) => publishRelease(file, onProgress),
    [firmwareKeys.releases, firmwareKeys.roots],
  );
}

/** Ends the rollouts of the release, too. */
export function useWithdraw() {
  return useChange((digest: string) => firmwareChanges.withdraw(digest), [firmwareKeys.all]);
}

export function useBeginRollout() {
  return useChange((rollout: NewRollout) => firmwareChanges.begin(rollout), [firmwareKeys.rollouts, firmwareKeys.devices]);
}

export function useRolloutOrder() {
  return useChange(({ id, order }: { id: number; order: RolloutOrder }) => firmwareChanges.order(id, order), [
    firmwareKeys.rollouts,
    ["firmware", "rollout"],
    firmwareKeys.devices,
  ]);
}

export function useRetry() {
  return useChange(({ id, meter }: { id: number; meter: string }) => firmwareChanges.retry(id, meter), [["firmware", "rollout"], firmwareKeys.devices]);
}
