// Carries what the live stream says into the answers that are already here. Repeating an event changes nothing.

import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { knownZone, localDay } from "../util/instant.ts";
import { withPoint, type Point } from "../util/series.ts";
import { keys, recordsKept } from "./queries.ts";
import { withLatest, type ParkRecords } from "./park-records.ts";
import { newestFirst, placeInTime } from "./reading-order.ts";
import type { Energy, Installation, Reading } from "./types.ts";

/** Puts a reading in its place among a meter's latest records, newest first. */
export function withRecord(records: readonly Reading[], reading: Reading): Reading[] {
  const others = records.filter(({ id }) => id !== reading.id);
  return [...others, reading].toSorted(newestFirst).slice(0, recordsKept);
}

/**
 * Counts a meter's energy on by what its device accepted since the sum that is in it. The device's own sum never decreases, so a counter that was
 * reset, an increment that was refused, or a reading that was in the gateway's answer already adds nothing here either.
 */
export function countedOn(energy: Energy, reading: Reading): Energy {
  if (!reading.is_verified || reading.produced_wh === null || reading.produced_wh <= energy.produced_wh) return energy;
  const added = reading.produced_wh - energy.produced_wh;
  return {
    ...energy,
    produced_wh: reading.produced_wh,
    today_wh: energy.today_wh + added,
    month_wh: energy.month_wh + added,
    year_wh: energy.year_wh + added,
    lifetime_wh: energy.lifetime_wh + added,
  };
}

const windowSeconds = 600;

/**
 * Whether the meter has just had time to seal a window: this is its second reading after a ten-minute mark. Records in that window have a proof in
 * place of their own signature from then on, which the stream does not repeat.
 */
export function sealedBy(reading: Reading, known: readonly Reading[]): boolean {
  const [last, beforeLast] = known;
  return (
    last !== undefined &&
    beforeLast !== undefined &&
    windowOf(reading) === windowOf(last) &&
    windowOf(beforeLast) < windowOf(last)
  );
}

function windowOf(reading: Reading): number {
  return Math.floor(placeInTime(reading) / windowSeconds);
}

/** Takes in one reading of the stream. */
export function receiveReading(client: QueryClient, reading: Reading): void {
  const meter = reading.installation_id;
  const known = client.getQueryData<Reading[]>(keys.records(meter));
  const latest = client.getQueryData<ParkRecords>(keys.latest)?.readings;
  const lists = [known, latest].filter((list) => list !== undefined);
  const unaware = lists.filter((list) => !list.some(({ id }) => id === reading.id));
  if (lists.length > 0 && unaware.length === 0) return;
  const before = unaware[0]?.find(({ installation_id }) => installation_id === meter);
  if (!before || placeInTime(before) * 1000 < localDay(placeInTime(reading) * 1000, zoneOf(client, meter)).start) {
    // The first reading that is known here, or of a local day, perhaps of a month or a year: what it adds to which is the gateway's to say.
    // Many meters have theirs at the same midnight: what is being asked for already answers for all. Where no page has this meter's records, nor
    // waits for them, it can wait, too: the next reading would find none before it either.
    const isShown = [keys.records(meter), keys.latest].some((queryKey) => isWanted(client, queryKey));
    const refetchType = isShown ? "active" : "none";
    void client.invalidateQueries({ queryKey: keys.energies, refetchType }, { cancelRefetch: false });
  } else {
    change<Energy[]>(client, keys.energies, (energies) =>
      energies.map((energy) => (energy.installation_id === meter ? countedOn(energy, reading) : energy)),
    );
  }
  change<Reading[]>(client, keys.records(meter), (records) => withRecord(records, reading));
  change<ParkRecords>(client, keys.latest, (park) => withLatest(park, reading));

  if (known && sealedBy(reading, known)) void client.invalidateQueries({ queryKey: keys.records(meter) });

  if (reading.timestamp !== null) drawPoint(client, meter, { time: reading.timestamp, watts: reading.power_w });

  change<Installation[]>(client, keys.installations, (installations) =>
    installations.map((installation) =>
      installation.id === meter ? { ...installation, last_seen_at: reading.created_at } : installation,
    ),
  );
  const heard = installationOf(client, meter);
  if (heard && heard.liveness !== "live") askHowMetersAre(client);
}

/** Whether an answer is here or on its way. A query that is only named, by a page that does not need it, has neither. */
function isWanted(client: QueryClient, queryKey: QueryKey): boolean {
  const state = client.getQueryState(queryKey);
  return state !== undefined && (state.data !== undefined || state.fetchStatus !== "idle");
}

/** Changes an answer that is here. One that is to be asked for again stays so: what the stream brings does not make up for what was missed. */
function change<Shape>(client: QueryClient, queryKey: QueryKey, changed: (shape: Shape) => Shape): void {
  const wasInvalidated = client.getQueryState(queryKey)?.isInvalidated;
  client.setQueryData<Shape>(queryKey, (shape) => shape && changed(shape));
  if (wasInvalidated) client.getQueryCache().find({ queryKey })?.invalidate();
}

/** When each page last asked how the meters are, and how long it does not ask again, in milliseconds. */
const askedHow = new WeakMap<QueryClient, number>();
const askRest = 1000;

/** How the meters are, since when and why, is the gateway's to say. A meter that sends a long backlog has it asked no faster, and spoils no answer. */
function askHowMetersAre(client: QueryClient): void {
  const now = Date.now();
  if (Math.abs(now - (askedHow.get(client) ?? 0)) < askRest) return;
  askedHow.set(client, now);
  for (const queryKey of [keys.installations, keys.status, keys.alerts]) void client.invalidateQueries({ queryKey }, { cancelRefetch: false });
}

function installationOf(client: QueryClient, meter: number): Installation | undefined {
  return client.getQueryData<Installation[]>(keys.installations)?.find(({ id }) => id === meter);
}

/** Puts a point on the curve of its own day, if that is here. */
function drawPoint(client: QueryClient, meter: number, point: Point): void {
  const ms = point.time * 1000;
  for (const { queryKey } of client.getQueryCache().findAll({ queryKey: keys.curves(meter) })) {
    const [, , start, end] = queryKey as ReturnType<typeof keys.curve>;
    if (ms < Number(start) || ms >= Number(end)) continue;
    change<Point[]>(client, queryKey, (points) => withPoint(points, point));
  }
}

function zoneOf(client: QueryClient, meter: number): string {
  return knownZone(installationOf(client, meter)?.timezone);
}

/** Takes in one change of a meter's state. A meter that is new brings its queries with it. */
export function receiveInstallation(client: QueryClient, changed: Installation): void {
  const before = installationOf(client, changed.id);
  change<Installation[]>(client, keys.installations, (installations) => {
    const known = installations.some(({ id }) => id === changed.id);
    return known
      ? installations.map((installation) => (installation.id === changed.id ? { ...installation, ...changed } : installation))
      : [...installations, changed];
  });
  // A meter tells how it is every few minutes, which changes nothing that stands in the list: what it said is asked for by whoever shows it.
  if (before && isAsBefore(before, changed)) {
    void client.invalidateQueries({ queryKey: keys.installation(changed.id), refetchType: "none" });
    return;
  }
  for (const queryKey of [keys.status, keys.alerts, keys.installation(changed.id)]) void client.invalidateQueries({ queryKey });
}

function isAsBefore(before: Installation, changed: Installation): boolean {
  return JSON.stringify({ ...before, ...changed, last_seen_at: null }) === JSON.stringify({ ...before, last_seen_at: null });
}
