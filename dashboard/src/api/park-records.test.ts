import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { receiveReading } from "./live-cache.ts";
import { parkRecordsKept, sealableMeters, unfinishedMeters, withLatest, type ParkRecords } from "./park-records.ts";
import { keys, queries, recordsShown } from "./queries.ts";
import { newestFirst } from "./reading-order.ts";
import { readingAt } from "./reading.fixture.ts";
import type { Energy, Reading } from "./types.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A record of one of many meters; the number says which and when. */
function recordOf(meter: number, at: number, rest: Partial<Reading> = {}): Reading {
  return readingAt(at, at / 10, { id: meter * 1_000_000 + at, installation_id: meter, ...rest });
}

const hundred = Array.from({ length: 100 }, (_, place) => place + 1);

/** What each meter measured every ten seconds up to a time, newest first. */
function measuredBy(meter: number, until: number): Reading[] {
  return Array.from({ length: 24 }, (_, place) => recordOf(meter, until - 10 * place - (meter % 10)));
}

/** Answers for a park of meters, and notes what was asked for. */
function answering(meters: readonly number[], until: number): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const [, meter] = /readings\/(\d+)\?/.exec(url) ?? [];
    return Promise.resolve(Response.json(meter ? measuredBy(Number(meter), until) : meters.flatMap((each) => measuredBy(each, until).slice(0, 1))));
  });
  return asked;
}

/** The first records as the list puts them together, and the meters that it asked. */
async function firstOf(client: QueryClient): Promise<{ ids: number[]; unfinished: number[] }> {
  const { readings, answered } = await client.ensureQueryData(queries.latest());
  const unfinished = unfinishedMeters(readings, answered, recordsShown);
  const lists = await Promise.all(unfinished.map((meter) => client.ensureQueryData(queries.records(meter))));
  const all = new Map([...readings, ...lists.flat()].map((reading) => [reading.id, reading]));
  return { ids: Array.from(all.values()).toSorted(newestFirst).slice(0, recordsShown).map(({ id }) => id), unfinished };
}

function firstMeasured(meters: readonly number[], until: number): number[] {
  const all = meters.flatMap((meter) => measuredBy(meter, until));
  return all.toSorted(newestFirst).slice(0, recordsShown).map(({ id }) => id);
}

test.each([2, 7, 30, 100])("the newest of %i meters are the newest of all, and no more than the lists of the first are asked for", async (count) => {
  const meters = hundred.slice(0, count);
  const asked = answering(meters, 10_000);
  expect((await firstOf(new QueryClient())).ids).toEqual(firstMeasured(meters, 10_000));
  expect(asked.length).toBeLessThanOrEqual(1 + recordsShown);
});

test("what came since the answer stands in its place without another question", async () => {
  const client = new QueryClient();
  const asked = answering(hundred, 10_000);
  await client.ensureQueryData(queries.latest());
  for (const at of [10_002, 10_004, 10_006]) for (const meter of [41, 42, 43, 44]) receiveReading(client, recordOf(meter, at));
  const { ids, unfinished } = await firstOf(client);
  expect(ids).toEqual([10_006, 10_004, 10_002].flatMap((at) => [41, 42, 43, 44].map((meter) => meter * 1_000_000 + at)).slice(0, recordsShown));
  expect(unfinished).toEqual([]);
  expect(asked).toEqual(["/api/v1/readings/latest"]);
});

test("an answer that is overtaken keeps what came meanwhile, once", async () => {
  const client = new QueryClient();
  answering([1, 2], 10_000);
  const first = client.ensureQueryData(queries.latest());
  await first;
  const again = client.fetchQuery({ ...queries.latest(), staleTime: 0 });
  receiveReading(client, recordOf(1, 10_005));
  const { readings } = await again;
  expect(readings.filter(({ installation_id }) => installation_id === 1).map(({ timestamp }) => timestamp)).toEqual([10_005, 9999]);
});

test("a meter's latest stays however many records the others bring, and the rest are bounded", () => {
  let park: ParkRecords = { readings: [recordOf(2, 5)], answered: new Set() };
  for (let at = 10; at < 10_000; at += 10) park = withLatest(park, recordOf(1, at));
  expect(park.readings).toHaveLength(parkRecordsKept + 1);
  expect(park.readings.at(-1)?.installation_id).toBe(2);
});

test("proofs are looked for of meters that may have a record of a sealed window in sight", () => {
  const readings = [recordOf(1, 50), recordOf(2, 45), recordOf(1, 40), recordOf(2, 35), recordOf(1, 30)];
  expect(sealableMeters(readings, recordsShown)).toEqual([1]);
  expect(sealableMeters(readings, 4)).toEqual([]);
});

const energyOf = (meter: number) => ({ installation_id: meter, today_wh: 0, produced_wh: 1_000 }) as Energy;

test("energy is counted on from the latest record of a meter whose list is not here, once", async () => {
  const client = new QueryClient();
  answering([1, 2], 10_000);
  await client.ensureQueryData(queries.latest());
  client.setQueryData(keys.energies, [energyOf(1), energyOf(2)]);
  for (let times = 0; times < 2; times += 1) receiveReading(client, recordOf(2, 10_008));
  expect(client.getQueryData<Energy[]>(keys.energies)?.map(({ today_wh }) => Math.round(today_wh))).toEqual([0, 1]);
});

test("records that nobody looks at have no request sent when their window is sealed, and are asked for when somebody does", async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const asked = answering([1], 590);
  await client.ensureQueryData(queries.records(1));
  for (const at of [600, 610, 620]) receiveReading(client, recordOf(1, at));
  expect(asked).toHaveLength(1);
  const leave = new QueryObserver(client, queries.records(1)).subscribe(() => undefined);
  expect(asked).toHaveLength(2);
  leave();
});

test("a reading of a meter that is shown nowhere has no energy asked for", () => {
  const client = new QueryClient();
  const asked = vi.fn(() => Promise.resolve([]));
  const leave = new QueryObserver(client, { queryKey: keys.energies, queryFn: asked, initialData: [energyOf(1)], staleTime: Number.POSITIVE_INFINITY }).subscribe(
    () => undefined,
  );
  client.setQueryData(keys.records(1), [recordOf(1, 10)]);
  receiveReading(client, recordOf(2, 20));
  expect(asked).not.toHaveBeenCalled();
  receiveReading(client, recordOf(1, 20));
  expect(client.getQueryState(keys.energies)?.isInvalidated).toBe(true);
  leave();
});
