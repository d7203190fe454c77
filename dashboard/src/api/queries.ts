// What is asked of the gateway, and under which keys the answers are kept. The live stream writes to the same keys.

import { queryOptions } from "@tanstack/react-query";
import { gatewayTime } from "../util/gateway-clock.ts";
import type { Point } from "../util/series.ts";
import { address, ApiError, getJson, holdCsrfToken } from "./client.ts";
import { statesDiffer } from "./meter-state.ts";
import { following, untilEnd, type PageSession } from "./page-session.ts";
import { unfinishedMeters, type ParkRecords } from "./park-records.ts";
import { newestFirst, type RecordPlace } from "./reading-order.ts";
import type { Alert, Energy, Installation, InstallationDetail, ParkStatus, Reading, Session } from "./types.ts";

/** A day's curve is thinned to this many points by the gateway: the lowest and the highest of every two minutes. */
export const curvePoints = 1440;

/** How many records of each meter are kept: enough for the list, bounded over a day on a wall. */
export const recordsKept = 24;

/** How many records a page of the list has. */
export const recordsShown = 10;

/** When readings begin: a list that names no start is of the last day only, and a meter may have been out for longer than anybody thinks. */
const always = new Date(0).toISOString();

/** Energy is counted on from the stream; this corrects it by the gateway's own figure, which knows corrections and replaced meters. */
const energyRefresh = 600_000;

/** A meter that falls silent sends nothing that would say so: the list of the meters is asked for anew this often. */
const stateRefresh = 60_000;

/** How a meter, the internet and the gateway are in detail changes without a word of the stream, too: it is asked for this often. */
const detailRefresh = 300_000;

/** What a meter's records give cause for is no change of its state: it is asked for this often, and whenever a state changes. */
const alertRefresh = 300_000;

export const keys = {
  session: ["session"],
  installations: ["installations"],
  installation: (installation: number) => ["installation", installation],
  status: ["status"],
  alerts: ["alerts"],
  energies: ["energy"],
  latest: ["latest"],
  records: (installation: number) => ["records", installation],
  recordsAfter: (installation: number, place: RecordPlace, count: number) => ["records-after", installation, ...place, count],
  /** The start of every curve key of a meter, whichever day. */
  curves: (installation: number) => ["curve", installation],
  curve: (installation: number, start: number, end: number) => ["curve", installation, start, end],
  reading: (installation: number, reading: number) => ["reading", installation, reading],
} as const;

/** Readings as points in order of time. */
function pointsOf(readings: readonly Reading[]): Point[] {
  return readings
    .flatMap(({ timestamp, power_w }) => (timestamp === null ? [] : [{ time: timestamp, watts: power_w }]))
    .toSorted((one, other) => one.time - other.time);
}

/**
 * Asks for records, newest first, each once, as the answer has it where it does: the stream may have brought to those that are `known` what the answer is
 * too old to hold.
 */
async function merged(known: () => readonly Reading[], asked: () => Promise<readonly Reading[]>): Promise<Reading[]> {
  const held = new Set(known().map(({ id }) => id));
  const answered = await asked();
  for (const { id } of answered) held.add(id);
  return [...answered, ...known().filter(({ id }) => !held.has(id))].toSorted(newestFirst);
}

export const queries = {
  session: () =>
    queryOptions({
      queryKey: keys.session,
      queryFn: async ({ signal, client }) => {
        const session = await getJson<Session>("/api/v1/session", signal);
        holdCsrfToken(session.csrf_token);
        return following(client.getQueryData<PageSession>(keys.session), session);
      },
      refetchInterval: ({ state }) => untilEnd(state.data, gatewayTime()),
    }),

  installations: () =>
    queryOptions({
      queryKey: keys.installations,
      queryFn: async ({ signal, client }) => {
        const installations = await getJson<Installation[]>("/api/v1/installations/", signal);
        const before = client.getQueryData<Installation[]>(keys.installations);
        if (before && statesDiffer(before, installations)) {
          void client.invalidateQueries({ queryKey: keys.status });
          void client.invalidateQueries({ queryKey: keys.alerts });
        }
        return installations;
      },
      refetchInterval: stateRefresh,
    }),

  /** One meter with its enrolment and what it said of itself. */
  installation: (installation: number) =>
    queryOptions({
      queryKey: keys.installation(installation),
      queryFn: ({ signal }) => getJson<InstallationDetail>(`/api/v1/installations/${String(installation)}`, signal),
    }),

  /** As {@link queries.installation}, kept up to date while it is looked at. */
  watchedInstallation: (installation: number) => queryOptions({ ...queries.installation(installation), refetchInterval: detailRefresh }),

  /** Since when the meters, the gateway and its internet are as they are. Asked for at once when a meter changes. */
  status: () =>
    queryOptions({
      queryKey: keys.status,
      queryFn: ({ signal }) => getJson<ParkStatus>("/api/v1/status/", signal),
      refetchInterval: detailRefresh,
    }),

  alerts: () =>
    queryOptions({
      queryKey: keys.alerts,
      queryFn: ({ signal }) => getJson<Alert[]>("/api/v1/alerts", signal),
      refetchInterval: alertRefresh,
    }),

  /** Of every meter that was ever approved, in one answer. */
  energies: () =>
    queryOptions({
      queryKey: keys.energies,
      queryFn: ({ signal }) => getJson<Energy[]>("/api/v1/energy", signal),
      refetchInterval: energyRefresh,
    }),

  /** The latest record of every meter, in one answer. */
  latest: () =>
    queryOptions({
      queryKey: keys.latest,
      queryFn: async ({ signal, client }): Promise<ParkRecords> => {
        const known = () => client.getQueryData<ParkRecords>(keys.latest)?.readings ?? [];
        const answered = new Set<number>();
        const readings = await merged(known, async () => {
          const latest = (await getJson<Reading[]>("/api/v1/readings/latest", signal)).toSorted(newestFirst);
          for (const { id } of latest) answered.add(id);
          // What is shown already is replaced as a whole.
          const unfinished = known().length > 0 ? unfinishedMeters(latest, answered, recordsShown) : [];
          await Promise.all(unfinished.map((installation) => client.prefetchQuery(queries.records(installation))));
          return latest;
        });
        return { readings, answered };
      },
      structuralSharing: false,
    }),

  records: (installation: number) =>
    queryOptions({
      queryKey: keys.records(installation),
      queryFn: async ({ signal, client }) => {
        const records = await merged(
          () => client.getQueryData<Reading[]>(keys.records(installation)) ?? [],
          () => getJson<Reading[]>(address(`/api/v1/readings/${String(installation)}`, { limit: recordsKept, start_time: always }), signal),
        );
        return records.slice(0, recordsKept);
      },
    }),

  /** The `count` records of a meter that come after a place in the list of all meters. */
  recordsAfter: (installation: number, place: RecordPlace, count: number) =>
    queryOptions({
      queryKey: keys.recordsAfter(installation, place, count),
      queryFn: async ({ signal }) => {
        const [timestamp, installation_id, sequence] = place;
        const last = { timestamp, installation_id, sequence, created_at: null };
        // Of the place's own second some are before it: as many more are asked for as it takes.
        for (let limit = count + 2; ; limit *= 4) {
          const url = address(`/api/v1/readings/${String(installation)}`, {
            limit,
            start_time: always,
            end_time: new Date(timestamp * 1000 + 999).toISOString(),
          });
          // oxlint-disable-next-line no-await-in-loop -- Whether more is asked for is known by the answer.
          const answered = await getJson<Reading[]>(url, signal);
          const later = answered.filter((reading) => newestFirst(last, reading) < 0);
          if (later.length >= count || answered.length < limit) return later.slice(0, count);
        }
      },
    }),

  /** One local day of a meter, from `start` up to and without `end` (milliseconds). */
  curve: (installation: number, start: number, end: number) =>
    queryOptions({
      queryKey: keys.curve(installation, start, end),
      queryFn: async ({ signal }) => {
        const url = address(`/api/v1/readings/${String(installation)}/optimized`, {
          max_points: curvePoints,
          start_time: new Date(start).toISOString(),
          end_time: new Date(end - 1).toISOString(),
        });
        try {
          return pointsOf(await getJson<Reading[]>(url, signal));
        } catch (cause) {
          if (cause instanceof ApiError && cause.status === 404) return [];
          throw cause;
        }
      },
    }),

  reading: (installation: number, reading: number) =>
    queryOptions({
      queryKey: keys.reading(installation, reading),
      queryFn: ({ signal }) =>
        getJson<Reading>(`/api/v1/installations/${String(installation)}/readings/${String(reading)}`, signal),
    }),
};
