// The bars of an energy chart as they are drawn: what was not measured is no zero, what is still to come is no gap, and each stands beside its like of
// another period. It formats nothing.

/** Energy of a stretch of time, UNIX seconds and watt-hours, as the gateway gives it. */
export interface EnergyBar {
  /** What the site's clock shows at its start. */
  label: string;
  timestamp: number;
  end: number;
  value: number;
  readings: number;
  spans_gap: boolean;
}

export interface DrawnBar {
  from: number;
  to: number;
  /** Null where nothing was measured. */
  value: number | null;
  other: number | null;
  state: "whole" | "partial" | "growing" | "ahead";
}

interface Circumstances {
  /** UNIX seconds. */
  now: number;
  /** When the meter began: before it nothing can be missing. */
  since: number;
  /** What is compared with, if anything. */
  others: readonly EnergyBar[] | null;
  /** Energy that has arrived after the bars were made; each belongs to the bar that holds its time. */
  arrived: readonly Arrival[];
}

/** Energy that a reading brought: UNIX seconds of the reading, watt-hours. */
export interface Arrival {
  time: number;
  wattHours: number;
}

export function drawnBars(bars: readonly EnergyBar[], { now, since, others, arrived }: Circumstances): DrawnBar[] {
  const likes = others ? likesOf(bars, others) : [];
  return bars.map((bar, place) => {
    const other = likes[place] ?? null;
    const { timestamp: from, end: to, readings, spans_gap: spansGap } = bar;
    const base = { from, to, other };
    const value = arrived.reduce((sum, { time, wattHours }) => (time >= from && time < to ? sum + wattHours : sum), bar.value);
    // What a meter measured before the gateway knew it, such as a queue that it brought along, was measured all the same.
    const isBefore = to <= since && readings === 0 && value === 0;
    if (from > now || isBefore) return { ...base, value: null, state: "ahead" };
    if (to > now) return { ...base, value, state: "growing" };
    // Energy that a meter counted while it was not read is booked where it was read again: a bar may have none and no readings.
    if (readings === 0 && value === 0) return { ...base, value: null, state: "whole" };
    return { ...base, value, state: spansGap ? "partial" : "whole" };
  });
}

/**
 * Finds each bar's like in another period. Hours go by the clock, the second of a repeated hour by its being the second, so that a day of 25 hours
 * stands beside one of 24; everything else goes by its place.
 */
function likesOf(bars: readonly EnergyBar[], others: readonly EnergyBar[]): (number | null)[] {
  const areHours = bars.length >= leastHours && others.length >= leastHours && bars.every(({ label }) => /^\d\d:\d\d$/.test(label));
  if (!areHours) return bars.map((_bar, place) => valueOf(others[place]));
  const byClock = new Map(named(others));
  return named(bars).map(([name]) => valueOf(byClock.get(name)));
}

/** No day has fewer; the ten minutes of an hour, which bear times as well, are six. */
const leastHours = 20;

function valueOf(bar: EnergyBar | undefined): number | null {
  return bar === undefined || (bar.readings === 0 && bar.value === 0) ? null : bar.value;
}

/** Hours of a day with names that differ: the second 02:00 is named as such. */
function named(bars: readonly EnergyBar[]): [name: string, bar: EnergyBar][] {
  const seen = new Map<string, number>();
  return bars.map((bar) => {
    const times = (seen.get(bar.label) ?? 0) + 1;
    seen.set(bar.label, times);
    return [`${bar.label} ${String(times)}`, bar];
  });
}

/** The energy of all bars; null when none has any. */
export function sumOf(bars: readonly DrawnBar[]): number | null {
  const known = bars.flatMap(({ value }) => (value === null ? [] : [value]));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/**
 * By which share a period's energy differs from another's; null where that says nothing: of what is not known, of nothing, and while the period is
 * going on, for the other one is whole.
 */
export function changeOf(total: number | null, other: number | null, isGoingOn: boolean): number | null {
  return isGoingOn || total === null || other === null || other === 0 ? null : total / other - 1;
}
