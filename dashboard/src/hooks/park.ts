// The park as a whole, put together from its meters' answers.

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { countsInEnergy, countsNow, isInService } from "../api/meter-state.ts";
import { queries } from "../api/queries.ts";
import { sealableMeters, unfinishedMeters } from "../api/park-records.ts";
import { newestFirst, placeInTime, type RecordPlace } from "../api/reading-order.ts";
import type { Energy, Installation, InstallationDetail, Reading } from "../api/types.ts";
import { clearSkyBand, type Aspect, type ClearSkyBand } from "../util/clear-sky.ts";
import { knownZone, type LocalDay } from "../util/instant.ts";

/** The park's clock: that of its first active meter, this browser's while there is none. */
export function parkZone(installations: readonly Installation[] | undefined): string {
  const first = installations?.find(({ state }) => state === "active") ?? installations?.[0];
  return first ? knownZone(first.timezone) : new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** What the park delivers at the moment. */
export interface ParkPower {
  /** Null while nothing is known and when no meter reports. */
  watts: number | null;
  /** Rated watts of the meters that count; null when one of them has none. */
  ratedWatts: number | null;
  /** How many meters are in the sum, of how many in service. */
  counted: number;
  active: number;
  newest: Reading | null;
  isPending: boolean;
}

/** Adds up the newest power of every meter that reports. */
export function useParkPower(installations: readonly Installation[]): ParkPower {
  const active = installations.filter(isInService);
  const { data, isPending } = useQuery(queries.latest());
  const latest = new Map(data?.readings.toReversed().map((reading) => [reading.installation_id, reading]));
  const power: ParkPower = { watts: null, ratedWatts: 0, counted: 0, active: active.length, newest: null, isPending };
  for (const installation of active) {
    const newest = latest.get(installation.id);
    if (newest && (!power.newest || placeInTime(newest) > placeInTime(power.newest))) power.newest = newest;
    if (!countsNow(installation) || !newest || newest.power_w === null) continue;
    power.watts = (power.watts ?? 0) + newest.power_w;
    power.counted += 1;
    power.ratedWatts =
      power.ratedWatts === null || installation.rated_power_w === null ? null : power.ratedWatts + installation.rated_power_w;
  }
  return power;
}

/** The latest record of one meter of the park. */
export function useLatestOf(installation: number) {
  return useQuery({
    ...queries.latest(),
    select: ({ readings }) => readings.find(({ installation_id }) => installation_id === installation) ?? null,
  });
}

/** The park's energy; a figure is null when no meter's could be read. */
export interface ParkEnergy {
  today: number | null;
  month: number | null;
  year: number | null;
  /** After what signed corrections have taken back. */
  lifetime: number | null;
  /** What they have taken back. */
  corrected: number | null;
  /** Of the last seven full days; null before the first one is over. */
  average: number | null;
  meters: number;
  failed: number;
  isPending: boolean;
}

/** Adds up the energy of all meters that were ever approved, once each. */
export function useParkEnergy(installations: readonly Installation[]): ParkEnergy {
  const { data, isPending } = useQuery(queries.energies());
  const measured = new Set(installations.filter(countsInEnergy).map(({ id }) => id));
  const known = (data ?? []).filter(({ installation_id }) => measured.has(installation_id));
  const sum = (figure: (energy: Energy) => number | null): number | null =>
    known.reduce<number | null>((total, energy) => {
      const value = figure(energy);
      return value === null ? total : (total ?? 0) + value;
    }, null);
  return {
    today: sum(({ today_wh }) => today_wh),
    month: sum(({ month_wh }) => month_wh),
    year: sum(({ year_wh }) => year_wh),
    lifetime: sum(({ lifetime_wh, corrected_wh }) => lifetime_wh - corrected_wh),
    corrected: sum(({ corrected_wh }) => corrected_wh),
    average: sum(({ average_7d_wh }) => average_7d_wh),
    meters: known.length,
    failed: isPending ? 0 : measured.size - known.length,
    isPending,
  };
}

/** Energy of one meter for each kilowatt of its rated power, kWh/kWp; null when it could not be read. */
export interface Yield {
  id: number;
  name: string;
  today: number | null;
  month: number | null;
}

/** Yields of the meters in service, in the order of the list. A meter without rated power has none. */
export function useYields(installations: readonly Installation[]): { yields: Yield[]; unrated: number; isPending: boolean } {
  const inService = installations.filter(isInService);
  const rated = inService.filter(({ rated_power_w }) => rated_power_w !== null && rated_power_w > 0);
  const { data, isPending } = useQuery(queries.energies());
  const energies = new Map(data?.map((energy) => [energy.installation_id, energy]));
  return {
    yields: rated.map((installation) => yieldOf(installation, energies.get(installation.id))),
    unrated: inService.length - rated.length,
    isPending,
  };
}

/** Energy of one meter. */
export function useEnergyOf(installation: number) {
  return useQuery({
    ...queries.energies(),
    select: (energies) => energies.find(({ installation_id }) => installation_id === installation),
  });
}

function yieldOf({ id, name, rated_power_w }: Installation, energy: Energy | undefined): Yield {
  // Watt-hours for each watt are kilowatt-hours for each kilowatt.
  const each = (wattHours: number | undefined) => (wattHours === undefined || !rated_power_w ? null : wattHours / rated_power_w);
  return { id, name, today: each(energy?.today_wh), month: each(energy?.month_wh) };
}

export interface RecordList {
  records: Reading[];
  isPending: boolean;
  error: Error | null;
  retry: () => void;
}

/** Records of some meters as one list, newest first: the latest and live, or the `count` that follow a place. */
export function useRecords(installations: readonly Installation[], after: RecordPlace | null, count: number): RecordList {
  const ids = installations.map(({ id }) => id);
  // Many meters are in one answer, which a few of their lists complete.
  const isOfPark = after === null && ids.length > 1;
  const park = useQuery({ ...queries.latest(), enabled: isOfPark });
  const wanted = new Set(ids);
  const latest = isOfPark ? (park.data?.readings.filter(({ installation_id }) => wanted.has(installation_id)) ?? []) : [];
  const needed = isOfPark ? unfinishedMeters(latest, park.data?.answered ?? new Set(), count) : ids;
  return useQueries({
    queries: Array.from(new Set([...needed, ...sealableMeters(latest, count)]), (id) =>
      after === null ? queries.records(id) : queries.recordsAfter(id, after, count),
    ),
    combine: (answers) => {
      const awaited = [...(isOfPark ? [park] : []), ...answers.slice(0, needed.length)];
      const isPending = awaited.some((answer) => answer.isPending);
      // The newest of some of the meters are not the newest of all: the list waits for the last answer.
      const known = isPending ? [] : [...latest, ...answers.flatMap(({ data }) => data ?? [])];
      // Of a record that both have, a meter's own list knows the proof.
      const records = Array.from(new Map(known.map((reading) => [reading.id, reading])).values()).toSorted(newestFirst);
      return {
        records: records.slice(0, after === null ? undefined : count),
        isPending,
        error: awaited.find(({ data, error }) => error && !data)?.error ?? null,
        retry: () => {
          for (const answer of awaited) if (answer.isError) void answer.refetch();
        },
      };
    },
  });
}

/** The gateway's explanation of a meter's state, where it gives one. */
export function useStatusOf(installation: number) {
  const status = useQuery({
    ...queries.status(),
    select: ({ installations }) => installations.find(({ installation_id }) => installation_id === installation),
  });
  return status.data;
}

/** What a meter's plant would give on a clear day; null when its enrolment does not say where it stands and faces, or what it is rated for. */
export function useClearSky({ id, rated_power_w: rated }: Installation, { start, end }: LocalDay, enabled: boolean): ClearSkyBand | null {
  const { data: aspect } = useQuery({ ...queries.installation(id), enabled, select: aspectOf });
  return useMemo(() => (aspect && rated ? clearSkyBand(aspect, rated, start / 1000, end / 1000) : null), [aspect, rated, start, end]);
}

function aspectOf({ enrolment }: InstallationDetail): Aspect | null {
  if (!enrolment) return null;
  const { latitude_e7: latitude, longitude_e7: longitude, tilt_decidegrees: tilt, azimuth_decidegrees: azimuth } = enrolment;
  if (latitude === null || longitude === null || tilt === null || azimuth === null) return null;
  return { latitude: latitude / 1e7, longitude: longitude / 1e7, tilt: tilt / 10, azimuth: azimuth / 10 };
}
