// The park as a whole, put together from its meters' answers.

import { useQueries, useQuery } from "@tanstack/react-query";
import { countsInEnergy, countsNow, isInService } from "../api/meter-state.ts";
import { queries } from "../api/queries.ts";
import { newestFirst, placeInTime } from "../api/reading-order.ts";
import type { Energy, Installation, Reading } from "../api/types.ts";

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
  return useQueries({
    queries: active.map(({ id }) => queries.records(id)),
    combine: (answers) => {
      const power: ParkPower = {
        watts: null,
        ratedWatts: 0,
        counted: 0,
        active: active.length,
        newest: null,
        isPending: answers.some(({ isPending }) => isPending),
      };
      for (const [place, installation] of active.entries()) {
        const newest = answers[place]?.data?.[0];
        if (newest && (!power.newest || placeInTime(newest) > placeInTime(power.newest))) power.newest = newest;
        if (!countsNow(installation) || !newest || newest.power_w === null) continue;
        power.watts = (power.watts ?? 0) + newest.power_w;
        power.counted += 1;
        power.ratedWatts =
          power.ratedWatts === null || installation.rated_power_w === null
            ? null
            : power.ratedWatts + installation.rated_power_w;
      }
      return power;
    },
  });
}

/** The park's energy; a figure is null when no meter's could be read. */
export interface ParkEnergy {
  today: number | null;
  month: number | null;
  lifetime: number | null;
  /** Of the last seven full days; null before the first one is over. */
  average: number | null;
  meters: number;
  failed: number;
  isPending: boolean;
}

/** Adds up the energy of all meters that were ever approved, once each. */
export function useParkEnergy(installations: readonly Installation[]): ParkEnergy {
  const measured = installations.filter(countsInEnergy);
  return useQueries({
    queries: measured.map(({ id }) => queries.energy(id)),
    combine: (answers) => {
      const known = answers.flatMap(({ data }) => (data ? [data] : []));
      const sum = (figure: (energy: Energy) => number | null): number | null =>
        known.reduce<number | null>((total, energy) => {
          const value = figure(energy);
          return value === null ? total : (total ?? 0) + value;
        }, null);
      return {
        today: sum(({ today_wh }) => today_wh),
        month: sum(({ month_wh }) => month_wh),
        lifetime: sum(({ lifetime_wh }) => lifetime_wh),
        average: sum(({ average_7d_wh }) => average_7d_wh),
        meters: known.length,
        failed: answers.filter(({ isError, data }) => isError && !data).length,
        isPending: answers.some(({ isPending }) => isPending),
      };
    },
  });
}

export interface RecordList {
  records: Reading[];
  isPending: boolean;
  error: Error | null;
  retry: () => void;
}

/** A place in the list of records of all meters, which is in order of time, then of installation: just after this one. */
export interface RecordPlace {
  timestamp: number;
  installation: number;
}

/** Records of some meters as one list, newest first: the latest and live, or the `count` that follow a place. */
export function useRecords(installations: readonly Installation[], after: RecordPlace | null, count: number): RecordList {
  return useQueries({
    queries: installations.map(({ id }) =>
      after === null
        ? queries.records(id)
        : queries.recordsBefore(id, id > after.installation ? after.timestamp + 1 : after.timestamp, count),
    ),
    combine: (answers) => {
      const isPending = answers.some((answer) => answer.isPending);
      // The newest of some of the meters are not the newest of all: the list waits for the last answer.
      const known = isPending ? [] : answers.flatMap(({ data }) => data ?? []);
      return {
        records: known.toSorted(newestFirst).slice(0, after === null ? undefined : count),
        isPending,
        error: answers.find(({ data, error }) => error && !data)?.error ?? null,
        retry: () => {
          for (const answer of answers) if (answer.isError) void answer.refetch();
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
