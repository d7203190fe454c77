// The data of a meter's chart, put together from answers, the live stream and what it is compared with.

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { curvePoints, queries } from "../api/queries.ts";
import { placeInTime } from "../api/reading-order.ts";
import type { Installation, Reading } from "../api/types.ts";
import { drawnBars, sumOf, type Arrival, type DrawnBar } from "../util/bars.ts";
import { dayCurve } from "../util/day-curve.ts";
import { gatewayTime } from "../util/gateway-clock.ts";
import { knownZone } from "../util/instant.ts";
import { carried, periodNamed, stepped, type Period } from "../util/period.ts";
import { curveOf, longestStep, spliced, type Curve, type Point } from "../util/series.ts";
import { electricOf, meterQueries, type ElectricPoint } from "./meter-queries.ts";
import type { Comparison, MeterView, Quantity } from "./meter-view.ts";

/** What a chart is compared with: which meter, and which period of its own calendar. */
export interface Counterpart {
  installation: Installation;
  period: Period;
  zone: string;
}

/** The counterpart that the address asks for; null when there is none, or no such meter. */
export function counterpartOf(compare: Comparison, own: Installation, all: readonly Installation[], period: Period): Counterpart | null {
  const zone = knownZone(own.timezone);
  if (compare === null) return null;
  if (compare === "previous") return { installation: own, period: stepped(period, -1, zone), zone };
  const other = all.find(({ id, state }) => id === compare && state !== "waiting");
  if (!other || other.id === own.id) return null;
  const otherZone = knownZone(other.timezone);
  const same = periodNamed(period.span, period.date, otherZone);
  return same && { installation: other, period: same, zone: otherZone };
}

export interface EnergyBars {
  bars: DrawnBar[];
  total: number | null;
  otherTotal: number | null;
  /** The answer is that of the period before, shown until the new one is here. */
  isOld: boolean;
  isPending: boolean;
  error: Error | null;
  retry: () => void;
}

/** The energy of a period in bars; the bar that holds a new reading's time grows by it, without asking. */
export function useEnergyBars(installation: Installation, view: MeterView, counterpart: Counterpart | null, since: number, now: number): EnergyBars {
  const { period } = view;
  const answer = useQuery({ ...meterQueries.energy(installation.id, period), placeholderData: keepPreviousData });
  const other = useQuery({
    ...meterQueries.energy(counterpart?.installation.id ?? 0, counterpart?.period ?? period),
    enabled: counterpart !== null,
    placeholderData: keepPreviousData,
  });
  const records = useQuery(queries.records(installation.id)).data;
  const chart = answer.data?.chart;
  const produced = answer.data?.producedWattHours ?? null;
  const arrived = useMemo(() => arrivedSince(produced, records ?? []), [produced, records]);
  const others = counterpart ? other.data?.chart.data_points : undefined;
  const moment = Math.floor(now / 60_000) * 60;
  const bars = useMemo(
    () => drawnBars(chart?.data_points ?? [], { now: moment, since, others: others ?? null, arrived }),
    [chart, moment, since, others, arrived],
  );
  return {
    bars,
    total: sumOf(bars),
    otherTotal: counterpart && other.data ? other.data.chart.total_energy : null,
    isOld: answer.isPlaceholderData || (counterpart !== null && other.isPlaceholderData),
    isPending: answer.isPending,
    error: answer.data ? null : answer.error,
    retry: () => void answer.refetch(),
  };
}

/**
 * What has been produced since the meter's sum stood at `produced`, by the times of the readings (newest first) that brought it: around the start of a
 * bar some are of the bar before, and a queue brings older ones still. The sum never falls. What is older than the readings kept comes with the first.
 */
export function arrivedSince(produced: number | null, records: readonly Reading[]): Arrival[] {
  if (produced === null) return [];
  let reached = produced;
  return records.toReversed().flatMap((reading) => {
    const sum = reading.produced_wh ?? reached;
    if (sum <= reached) return [];
    const wattHours = sum - reached;
    reached = sum;
    return [{ time: placeInTime(reading), wattHours }];
  });
}

export interface Curves {
  curve: Curve;
  other: Curve | null;
  /** How far apart two measured points may be. */
  step: number;
  isOld: boolean;
  isPending: boolean;
  error: Error | null;
  retry: () => void;
}

/** Power, voltage or reactive power of an hour or a day; finer where it is zoomed in. */
export function useCurves(installation: Installation, view: MeterView, counterpart: Counterpart | null, since: number, now: number): Curves {
  const { quantity, period, settledView } = view;
  const zone = knownZone(installation.timezone);
  const cadence = installation.expected_cadence_s;
  const whole = useStretch(installation.id, quantity, period.start, period.end, true);
  const fineStretch = useMemo(() => finerThan(period, settledView.from * 1000, settledView.to * 1000), [period, settledView]);
  const fine = useStretch(installation.id, quantity, fineStretch?.start ?? 0, fineStretch?.end ?? 0, fineStretch !== null);
  const other = useStretch(
    counterpart?.installation.id ?? 0,
    quantity,
    counterpart?.period.start ?? 0,
    counterpart?.period.end ?? 0,
    counterpart !== null,
  );

  const step = longestStep((period.end - period.start) / 1000, curvePoints, cadence);
  const until = Math.min(Math.floor(now / 10_000) * 10, period.end / 1000);
  const coarse = useMemo(
    () => dayCurve(whole.points ?? [], step, Math.max(period.start / 1000, since), until),
    [whole.points, step, period, since, until],
  );
  const curve = useMemo(() => {
    if (!fineStretch || !fine.points || fine.isOld) return coarse;
    const [start, end] = [fineStretch.start / 1000, fineStretch.end / 1000];
    const close = dayCurve(fine.points, longestStep(end - start, curvePoints, cadence), Math.max(start, since), Math.min(until, end));
    return spliced(coarse, close, start, end);
  }, [coarse, fine.points, fine.isOld, fineStretch, cadence, since, until]);
  const otherCurve = useMemo(() => {
    if (!counterpart || !other.points) return null;
    const { period: from, zone: fromZone } = counterpart;
    const moved = other.points.map(({ time, watts }) => ({ time: carried(time * 1000, from, fromZone, period, zone) / 1000, watts }));
    // Times that the clocks skipped or repeated land on top of others: each moment is drawn once, in order.
    const inOrder = moved.toSorted((one, next) => one.time - next.time).filter(({ time }, place, all) => time !== all[place - 1]?.time);
    return curveOf(inOrder, step);
  }, [counterpart, other.points, period, zone, step]);

  return {
    curve,
    other: otherCurve,
    step,
    isOld: whole.isOld || (counterpart !== null && other.isOld),
    isPending: whole.points === undefined && whole.error === null,
    error: whole.points ? null : whole.error,
    retry: whole.retry,
  };
}

/**
 * The stretch to ask for once a view shows less than half of a period: half a view more on both sides, on a grid, so that a little panning asks for
 * nothing. Null where the whole is fine enough. Milliseconds.
 */
export function finerThan(period: Period, from: number, to: number): { start: number; end: number } | null {
  const whole = period.end - period.start;
  const span = to - from;
  if (span > whole / 2) return null;
  let grid = whole;
  while (grid > span / 2) grid /= 2;
  // Whole seconds: that is what the API counts in.
  grid = Math.max(1000, Math.floor(grid / 1000) * 1000);
  const start = period.start + Math.max(0, Math.floor((from - span / 2 - period.start) / grid) * grid);
  return { start, end: Math.min(period.end, period.start + Math.ceil((to + span / 2 - period.start) / grid) * grid) };
}

interface Stretch {
  points: Point[] | undefined;
  isOld: boolean;
  error: Error | null;
  retry: () => void;
}

/** One quantity over a stretch of time (milliseconds). Points carry their value as `watts`, whatever its unit is. */
function useStretch(installation: number, quantity: Quantity, start: number, end: number, wanted: boolean): Stretch {
  const isPower = quantity === "power";
  const power = useQuery({
    ...queries.curve(installation, start, end),
    enabled: wanted && isPower,
    placeholderData: keepPreviousData,
    // A day that was not over when it was asked for, and that nobody looked at since, has missed its readings.
    staleTime: ({ state }) => (gatewayTime(state.dataUpdatedAt) < end ? 60_000 : Number.POSITIVE_INFINITY),
  });
  const electric = useQuery({
    ...meterQueries.electric(installation, start, end),
    enabled: wanted && !isPower,
    placeholderData: keepPreviousData,
  });
  const records = useQuery({ ...queries.records(installation), enabled: wanted && !isPower }).data;
  const points = useMemo(() => {
    if (isPower) return power.data;
    return electric.data && withNewest(electric.data, records ?? [], start, end).map((point) => valueOf(point, quantity));
  }, [isPower, power.data, electric.data, records, start, end, quantity]);
  const answer = isPower ? power : electric;
  return { points, isOld: answer.isPlaceholderData, error: answer.error, retry: () => void answer.refetch() };
}

function valueOf({ time, volts, vars }: ElectricPoint, quantity: Quantity): Point {
  return { time, watts: quantity === "voltage" ? volts : vars };
}

/** What the stream has brought since the answer. */
function withNewest(points: readonly ElectricPoint[], records: readonly Reading[], start: number, end: number): ElectricPoint[] {
  const last = points.at(-1)?.time ?? 0;
  const newer = records
    .flatMap(electricOf)
    .filter(({ time }) => time > last && time * 1000 >= start && time * 1000 < end)
    .toSorted((one, other) => one.time - other.time);
  return [...points, ...newer];
}

/** Asks for the periods beside the one shown before anybody steps there: called as the pointer comes near. */
export function usePrefetch(installation: Installation, view: MeterView): (period: Period) => void {
  const client = useQueryClient();
  const { quantity } = view;
  return (period) => {
    if (quantity === "energy") void client.prefetchQuery(meterQueries.energy(installation.id, period));
    else if (quantity === "power") void client.prefetchQuery(queries.curve(installation.id, period.start, period.end));
    else void client.prefetchQuery(meterQueries.electric(installation.id, period.start, period.end));
  };
}
