import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, describe, expect, test, vi } from "vitest";
import { countedOn, receiveInstallation, receiveReading, sealedBy, withRecord } from "./live-cache.ts";
import { keys, queries, recordsKept } from "./queries.ts";
import { readingAt } from "./reading.fixture.ts";
import { installation } from "./installation.fixture.ts";
import type { Energy, Installation, Reading } from "./types.ts";

const energy: Energy = {
  installation_id: 1,
  today_wh: 10,
  month_wh: 20,
  year_wh: 30,
  lifetime_wh: 40,
  overlap_wh: 0,
  average_7d_wh: 5,
  corrected_wh: 0,
  timezone: "UTC",
  produced_wh: 1,
};

describe("the latest records", () => {
  test("stay in order of measurement, whatever arrives when", () => {
    const records = [readingAt(30), readingAt(10)];
    expect(withRecord(records, readingAt(20)).map(({ timestamp }) => timestamp)).toEqual([30, 20, 10]);
    expect(withRecord(records, readingAt(40)).map(({ timestamp }) => timestamp)).toEqual([40, 30, 10]);
  });

  test("hold a repeated reading once", () => {
    expect(withRecord([readingAt(10)], readingAt(10))).toHaveLength(1);
  });

  test("do not grow over a day", () => {
    let records: Reading[] = [];
    for (let at = 0; at < 86_400; at += 100) records = withRecord(records, readingAt(at));
    expect(records).toHaveLength(recordsKept);
    expect(records[0]?.timestamp).toBe(86_300);
  });
});

test("a reading of a meter that does not know the time is placed by when it was received", () => {
  const timeless = readingAt(20, 0, { timestamp: null });
  expect(withRecord([readingAt(30), readingAt(10)], timeless).map(({ id }) => id)).toEqual([30, 20, 10]);
});

describe("energy", () => {
  test("is counted on by what the device accepted since the answer", () => {
    const after = countedOn(energy, readingAt(20, 3.5));
    expect(after).toEqual({ ...energy, today_wh: 12.5, month_wh: 22.5, year_wh: 32.5, lifetime_wh: 42.5, produced_wh: 3.5 });
  });

  test.each([
    ["a sum that fell", readingAt(20, 0.5)],
    ["a reading that the answer counted", readingAt(10, 1)],
    ["an unverified reading", readingAt(20, 3.5, { is_verified: false })],
    ["a reading without a sum", readingAt(20, 3.5, { produced_wh: null })],
  ])("%s adds nothing", (_claim, reading) => {
    expect(countedOn(energy, reading)).toEqual(energy);
  });
});

function park(): QueryClient {
  const client = new QueryClient();
  client.setQueryData(keys.records(1), [readingAt(10, 1)]);
  client.setQueryData(keys.energies, [energy]);
  client.setQueryData(keys.curve(1, 0, 100_000), [{ time: 10, watts: 100 }]);
  client.setQueryData(keys.curve(1, 100_000, 200_000), []);
  return client;
}

describe("an event of the stream", () => {
  test("reaches the records, the energy and the curve of its own day", () => {
    const client = park();
    receiveReading(client, readingAt(20, 2));
    expect(client.getQueryData<Reading[]>(keys.records(1))?.map(({ timestamp }) => timestamp)).toEqual([20, 10]);
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(11);
    expect(client.getQueryData(keys.curve(1, 0, 100_000))).toEqual([
      { time: 10, watts: 100 },
      { time: 20, watts: 100 },
    ]);
    expect(client.getQueryData(keys.curve(1, 100_000, 200_000))).toEqual([]);
  });

  test("that begins a local day adds to none: the gateway is asked", () => {
    const client = park();
    receiveReading(client, readingAt(86_400, 2));
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(10);
    expect(client.getQueryState(keys.energies)?.isInvalidated).toBe(true);
  });

  test.each([
    ["before the records are here", undefined],
    ["when there is no other", []],
  ])("that comes %s has the gateway asked for the energy", (_when, records) => {
    const client = new QueryClient();
    client.setQueryData(keys.energies, [energy]);
    client.setQueryData(keys.records(1), records);
    receiveReading(client, readingAt(30, 1.5));
    expect(client.getQueryState(keys.energies)?.isInvalidated).toBe(true);
  });

  test("of a meter whose records no page has makes no page ask for the energy", () => {
    const client = park();
    // As a page names the park's records that it does not need: a query without an answer, and none on its way.
    const named = new QueryObserver(client, { queryKey: keys.latest, queryFn: () => [], enabled: false });
    const asked = vi.fn(() => Promise.resolve([energy]));
    const shown = new QueryObserver(client, { queryKey: keys.energies, queryFn: asked, staleTime: Infinity });
    const leave = [named.subscribe(() => undefined), shown.subscribe(() => undefined)];
    receiveReading(client, readingAt(30, 1.5, { installation_id: 2 }));
    expect(asked).not.toHaveBeenCalled();
    receiveReading(client, readingAt(86_400, 1.5));
    expect(asked).toHaveBeenCalledOnce();
    for (const each of leave) each();
  });

  test("that is replayed changes nothing", () => {
    const client = park();
    receiveReading(client, readingAt(20, 2));
    receiveReading(client, readingAt(20, 2));
    expect(client.getQueryData<Reading[]>(keys.records(1))).toHaveLength(2);
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(11);
  });

  test("leaves what was not asked for alone", () => {
    const client = park();
    receiveReading(client, readingAt(20, 2, { installation_id: 2 }));
    expect(client.getQueryData(keys.records(2))).toBeUndefined();
    expect(client.getQueryData<Reading[]>(keys.records(1))).toHaveLength(1);
  });
});

/** Has the next request wait for its answer, which the result gives. */
function deferred(): (shapes: object[]) => void {
  let resolve: (response: Response) => void;
  const promise = new Promise<Response>((answer) => {
    resolve = answer;
  });
  vi.stubGlobal("fetch", () => promise);
  return (shapes) => {
    resolve(Response.json(shapes));
  };
}

describe("an answer that is overtaken", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("keeps the records that came meanwhile, so that the next is counted from the last", async () => {
    const client = park();
    const answerWith = deferred();
    const refetch = client.fetchQuery({ ...queries.records(1), staleTime: 0 });
    receiveReading(client, readingAt(20, 2));
    answerWith([readingAt(10, 1, { window_id: 7 })]);
    await refetch;
    const records = client.getQueryData<Reading[]>(keys.records(1));
    expect(records?.map(({ id, window_id }) => [id, window_id])).toEqual([
      [20, null],
      [10, 7],
    ]);
    receiveReading(client, readingAt(30, 4));
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(13);
  });

  test("forgets records that were here when it was asked for and that it does not hold", async () => {
    const client = park();
    const answerWith = deferred();
    const refetch = client.fetchQuery({ ...queries.records(1), staleTime: 0 });
    answerWith([readingAt(5, 1)]);
    expect((await refetch).map(({ id }) => id)).toEqual([5]);
  });

  test("is not added to by a reading that it holds already", async () => {
    const client = park();
    const answerWith = deferred();
    const refetch = client.fetchQuery({ ...queries.energies(), staleTime: 0 });
    answerWith([{ ...energy, today_wh: 11, produced_wh: 2 }]);
    await refetch;
    receiveReading(client, readingAt(20, 2));
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(11);
    receiveReading(client, readingAt(30, 4));
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(13);
  });

  test("is added to by all that came between it and a reading", async () => {
    const client = park();
    const answerWith = deferred();
    const refetch = client.fetchQuery({ ...queries.energies(), staleTime: 0 });
    answerWith([{ ...energy, today_wh: 11, produced_wh: 2 }]);
    await refetch;
    // What a window sealed while the gateway was away is told by nothing but the sum of the next reading.
    receiveReading(client, readingAt(60, 9));
    expect(client.getQueryData<Energy[]>(keys.energies)?.[0]?.today_wh).toBe(18);
  });
});

function parkOf(liveness: Installation["liveness"]): QueryClient {
  const client = park();
  client.setQueryData<Installation[]>(keys.installations, [{ ...installation, liveness }]);
  client.setQueryData(keys.status, {});
  client.setQueryData(keys.alerts, []);
  return client;
}
const isAskedFor = (client: QueryClient) =>
  [keys.installations, keys.status, keys.alerts].map((queryKey) => client.getQueryState(queryKey)?.isInvalidated);

describe("a reading", () => {
  test("of a meter that was silent has the gateway asked how the meters are", () => {
    const client = parkOf("silent");
    receiveReading(client, readingAt(20, 2));
    expect(isAskedFor(client)).toEqual([true, true, true]);
  });

  test.each([
    ["at most once a second", 50, 4],
    ["and no answer is given up for the next", 2500, 2],
  ])("of a long backlog has it asked: %s", async (_claim, answerTakes, times) => {
    vi.useFakeTimers();
    const client = parkOf("silent");
    const asked: AbortSignal[] = [];
    const slow = async ({ signal }: { signal: AbortSignal }) => {
      asked.push(signal);
      await new Promise((answer) => setTimeout(answer, answerTakes));
      return [{ ...installation, liveness: "silent" }];
    };
    const leave = new QueryObserver(client, { queryKey: keys.installations, queryFn: slow, staleTime: Infinity }).subscribe(() => undefined);
    let at = 20;
    const backlog = setInterval(() => {
      receiveReading(client, readingAt((at += 1), 2));
    }, 100);
    await vi.advanceTimersByTimeAsync(4000);
    clearInterval(backlog);
    expect(asked.map(({ aborted }) => aborted)).toEqual(Array.from({ length: times }, () => false));
    leave();
    vi.useRealTimers();
  });

  test("of a meter that is live asks for nothing", () => {
    const client = parkOf("live");
    receiveReading(client, readingAt(20, 2));
    expect(isAskedFor(client)).toEqual([false, false, false]);
  });
});

test("a change of a meter's state has its details, the status and the alerts asked for", () => {
  const client = parkOf("live");
  client.setQueryData(keys.installation(1), {});
  receiveInstallation(client, { ...installation, state: "revoked" });
  expect(client.getQueryData<Installation[]>(keys.installations)?.[0]?.state).toBe("revoked");
  expect(isAskedFor(client)).toEqual([false, true, true]);
  expect(client.getQueryState(keys.installation(1))?.isInvalidated).toBe(true);
});

test("a meter that only tells how it is has nothing asked for on a page that does not show it", () => {
  const client = parkOf("live");
  client.setQueryData(keys.installation(1), {});
  const known = client.getQueryData<Installation[]>(keys.installations)?.[0] ?? installation;
  receiveInstallation(client, { ...known, last_seen_at: "2026-11-22T12:00:10" });
  expect(isAskedFor(client)).toEqual([false, false, false]);
  expect(client.getQueryState(keys.installation(1))?.isInvalidated).toBe(true);
});

test("the second reading after a ten-minute mark tells that the window may be sealed", () => {
  const known = [readingAt(600), readingAt(590)];
  expect(sealedBy(readingAt(610), known)).toBe(true);
  expect(sealedBy(readingAt(600), [readingAt(590), readingAt(580)])).toBe(false);
  expect(sealedBy(readingAt(620), [readingAt(610), ...known])).toBe(false);
});
