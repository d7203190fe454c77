// What the page of one meter asks for beyond what every page knows: charts of calendar periods, what happened, voltage and reactive power.

import { queryOptions } from "@tanstack/react-query";
import { address, ApiError, getJson } from "../api/client.ts";
import { curvePoints, keys } from "../api/queries.ts";
import type { Chart, Mark, Reading } from "../api/types.ts";
import { gatewayTime } from "../util/gateway-clock.ts";
import { atOf, type Period } from "../util/period.ts";
import { cutFields, fieldOf } from "../util/record-fields.ts";

/** What is going on is asked for again after this long at the latest; in between the stream counts it on. */
const longestRest = 600_000;

/** A bar that has begun is asked for so long after its start: by then its first reading is there. */
const patience = 15_000;

/** An answer about a period that was not over is old after this long. */
const freshness = 60_000;

/** An energy chart, and how far the meter's own sum had come when it was answered. */
export interface EnergyChart {
  chart: Chart;
  producedWattHours: number | null;
}

/** One measured point of what the meter measures beside power: UNIX seconds, volts and volt-amperes reactive. */
export interface ElectricPoint {
  time: number;
  volts: number | null;
  vars: number | null;
}

export const meterQueries = {
  /** Energy of one calendar period in bars. */
  energy: (installation: number, period: Period) =>
    queryOptions({
      queryKey: ["chart", installation, period.span, period.date],
      queryFn: async ({ signal, client }): Promise<EnergyChart> => {
        const url = address(`/api/v1/readings/${String(installation)}/chart`, { time_frame: period.span, at: atOf(period) });
        const chart = await getJson<Chart>(url, signal);
        return { chart, producedWattHours: client.getQueryData<Reading[]>(keys.records(installation))?.[0]?.produced_wh ?? null };
      },
      staleTime: ({ state }) => staleAfter(period, gatewayTime(state.dataUpdatedAt)),
      refetchInterval: ({ state }) => restOf(period, state.data?.chart, gatewayTime()),
    }),

  /** Starts, outages and gaps of a calendar period. */
  marks: (installation: number, period: Period) =>
    queryOptions({
      queryKey: ["marks", installation, period.start, period.end],
      queryFn: ({ signal }) => {
        const span = { start_time: new Date(period.start).toISOString(), end_time: new Date(period.end - 1).toISOString() };
        return getJson<Mark[]>(address(`/api/v1/installations/${String(installation)}/marks`, span), signal);
      },
      staleTime: ({ state }) => staleAfter(period, gatewayTime(state.dataUpdatedAt)),
      refetchInterval: () => (gatewayTime() < period.end ? longestRest : false),
    }),

  /** Voltage and reactive power of a stretch of time (milliseconds), from the signed bytes of its readings. */
  electric: (installation: number, start: number, end: number) =>
    queryOptions({
      queryKey: ["electric", installation, start, end],
      queryFn: async ({ signal }) => {
        const url = address(`/api/v1/readings/${String(installation)}/optimized`, {
          max_points: curvePoints,
          start_time: new Date(start).toISOString(),
          end_time: new Date(end - 1).toISOString(),
        });
        try {
          return (await getJson<Reading[]>(url, signal)).flatMap(electricOf).toSorted((one, other) => one.time - other.time);
        } catch (cause) {
          if (cause instanceof ApiError && cause.status === 404) return [];
          throw cause;
        }
      },
      staleTime: ({ state }) => (gatewayTime(state.dataUpdatedAt) < end ? freshness : Number.POSITIVE_INFINITY),
      refetchInterval: () => (gatewayTime() < end ? 2 * freshness : false),
    }),
};

function staleAfter(period: Period, updatedAt: number): number {
  return updatedAt < period.end ? freshness : Number.POSITIVE_INFINITY;
}

/** When a chart is to be asked for again: as its next bar begins; never once its period is over. */
function restOf(period: Period, chart: Chart | undefined, now: number): number | false {
  if (now >= period.end) return false;
  const next = chart?.data_points.find(({ end }) => end * 1000 > now)?.end;
  if (next === undefined) return longestRest;
  return Math.min(longestRest, Math.max(freshness, next * 1000 - now + patience));
}

/** What a reading's signed bytes say of voltage and reactive power; none of a reading without a time or without bytes. */
export function electricOf(reading: Reading): ElectricPoint[] {
  if (reading.timestamp === null || reading.record === null) return [];
  const fields = cutFields(reading.record);
  if (!fields) return [];
  const thousandth = (name: "voltage" | "reactive_power") => {
    const value = fieldOf(fields, name)?.value ?? null;
    return value === null ? null : Number(value) / 1000;
  };
  return [{ time: reading.timestamp, volts: thousandth("voltage"), vars: thousandth("reactive_power") }];
}
