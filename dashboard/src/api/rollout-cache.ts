// Carries what the live stream says of rollouts into the answers that are here. What an event does not hold, the meters and the waves, is asked for anew.

import type { QueryClient } from "@tanstack/react-query";
import { firmwareKeys, type RolloutDetail } from "./firmware.ts";
import type { Rollout } from "./types.ts";

/** A rollout of many meters changes many times a second. What it is in detail is asked for no faster than this, milliseconds. */
export const detailRest = 2000;

/** Takes in one change of a rollout; the same again changes nothing. */
export function receiveRollout(client: QueryClient, changed: Rollout): void {
  const before = client.getQueryData<Rollout[]>(firmwareKeys.rollouts);
  if (before) {
    const isKnown = before.some(({ id }) => id === changed.id);
    const rollouts = isKnown ? before.map((rollout) => (rollout.id === changed.id ? changed : rollout)) : [changed, ...before];
    client.setQueryData(firmwareKeys.rollouts, rollouts);
  }
  client.setQueryData<RolloutDetail>(firmwareKeys.rollout(changed.id), (detail) => detail && { ...detail, ...changed });
  askForDetail(client, changed.id);
}

/** When each rollout was asked for last, and what waits to be. */
const asked = new WeakMap<QueryClient, Map<number, { at: number; isWaiting: boolean }>>();

/** Asks at once, or at the end of the rest: the last change of many is never left out. */
function askForDetail(client: QueryClient, id: number): void {
  const rollouts = asked.get(client) ?? new Map<number, { at: number; isWaiting: boolean }>();
  asked.set(client, rollouts);
  const last = rollouts.get(id) ?? { at: Number.NEGATIVE_INFINITY, isWaiting: false };
  rollouts.set(id, last);
  if (last.isWaiting) return;
  const ask = () => {
    last.at = Date.now();
    last.isWaiting = false;
    void client.invalidateQueries({ queryKey: firmwareKeys.rollout(id) });
    void client.invalidateQueries({ queryKey: firmwareKeys.devices });
  };
  const rest = last.at + detailRest - Date.now();
  if (rest <= 0 || rest > detailRest) {
    ask();
    return;
  }
  last.isWaiting = true;
  setTimeout(ask, rest);
}
