import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { firmwareKeys } from "./firmware.ts";
import { detailRest, receiveRollout } from "./rollout-cache.ts";
import type { Rollout } from "./types.ts";

const rollout: Rollout = {
  id: 1,
  name: "valley",
  release: "e1",
  version: "1.4.0",
  state: "running",
  reason: "",
  wave: 1,
  waves_in_all: 2,
  meters: 2,
  counts: { waiting: 2, fetching: 0, staged: 0, trial: 0, updated: 0, failed: 0 },
  created_at: null,
  created_by: "desk",
  changed_at: null,
};

let asked = 0;
let client: QueryClient;
let leave: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
  asked = 0;
  const queryFn = () => {
    asked += 1;
    return Promise.resolve({ ...rollout, waves: [] });
  };
  leave = new QueryObserver(client, { queryKey: firmwareKeys.rollout(1), queryFn, staleTime: Number.POSITIVE_INFINITY, initialData: { ...rollout, waves: [] } }).subscribe(
    () => undefined,
  );
});

afterEach(() => {
  leave();
  vi.useRealTimers();
});

test("a change is seen in the list and in the rollout at once", () => {
  client.setQueryData(firmwareKeys.rollouts, [rollout]);
  receiveRollout(client, { ...rollout, state: "halted" });
  expect(client.getQueryData<Rollout[]>(firmwareKeys.rollouts)?.map(({ state }) => state)).toEqual(["halted"]);
  expect(client.getQueryData<Rollout>(firmwareKeys.rollout(1))?.state).toBe("halted");
});

test("a rollout that is new stands first", () => {
  client.setQueryData(firmwareKeys.rollouts, [rollout]);
  receiveRollout(client, { ...rollout, id: 2 });
  expect(client.getQueryData<Rollout[]>(firmwareKeys.rollouts)?.map(({ id }) => id)).toEqual([2, 1]);
});

test("where no page has rollouts, none are kept", () => {
  receiveRollout(client, { ...rollout, id: 7 });
  expect(client.getQueryData(firmwareKeys.rollouts)).toBeUndefined();
  expect(client.getQueryData(firmwareKeys.rollout(7))).toBeUndefined();
});

test("many changes have the detail asked for at once and once more after a rest", async () => {
  for (let change = 0; change < 20; change += 1) receiveRollout(client, rollout);
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(detailRest);
  expect(asked).toBe(2);
  await vi.advanceTimersByTimeAsync(10 * detailRest);
  expect(asked).toBe(2);
});
