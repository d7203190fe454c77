import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { queries } from "./queries.ts";
import { newestFirst, placeInTime, type RecordPlace } from "./reading-order.ts";
import { readingAt } from "./reading.fixture.ts";
import type { Reading } from "./types.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

function recordOf(meter: number, sequence: number, timestamp: number): Reading {
  return readingAt(timestamp, 0, { id: meter * 1_000_000 + sequence, installation_id: meter, sequence });
}

/** Answers as the gateway does: newest first between two times, both inclusive, of the last day when no start is said. */
function answerFrom(stored: readonly Reading[]): void {
  vi.stubGlobal("fetch", (url: string) => {
    const { pathname, searchParams } = new URL(url, "http://gateway.invalid");
    const end = Date.parse(searchParams.get("end_time") ?? "");
    const said = searchParams.get("start_time");
    const start = said === null ? end - 86_400_000 : Date.parse(said);
    const found = stored.filter(({ installation_id, timestamp }) => {
      // Meters measure between the seconds, too.
      const ms = (timestamp ?? 0) * 1000 + 500;
      return pathname.endsWith(`/${String(installation_id)}`) && ms >= start && ms <= end;
    });
    return Promise.resolve(Response.json(found.toSorted(newestFirst).slice(0, Number(searchParams.get("limit")))));
  });
}

/** Steps through the list of some meters, a page after the other, from a place. */
async function steppedThrough(meters: readonly number[], from: RecordPlace, count: number): Promise<number[]> {
  const client = new QueryClient();
  const shown: number[] = [];
  let place: RecordPlace | null = from;
  while (place !== null && shown.length < 100) {
    const after: RecordPlace = place;
    // oxlint-disable-next-line no-await-in-loop -- Each page begins where the last one ended.
    const lists = await Promise.all(meters.map((meter) => client.fetchQuery(queries.recordsAfter(meter, after, count))));
    const page = lists.flat().toSorted(newestFirst).slice(0, count);
    shown.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    place = last ? [placeInTime(last), last.installation_id, last.sequence] : null;
  }
  return shown;
}

const noon = 1_795_348_800;

test.each([
  ["of one meter in the same second", Array.from({ length: 30 }, (_, place) => recordOf(1, place + 1, noon - Math.floor(place / 25)))],
  ["of many meters in the same second", [1, 2, 3].flatMap((meter) => [1, 2, 3, 4].map((sequence) => recordOf(meter, sequence, noon + Math.floor(sequence / 3))))],
  ["before an outage of years", [recordOf(1, 2, noon), recordOf(1, 1, noon - 3 * 365 * 86_400)]],
])("no page leaves out or repeats a record %s", async (_which, stored) => {
  answerFrom(stored);
  const meters = Array.from(new Set(stored.map(({ installation_id }) => installation_id)));
  expect(await steppedThrough(meters, [noon + 100, 1, 0], 3)).toEqual(stored.toSorted(newestFirst).map(({ id }) => id));
});
