// A curve of power over time with its gaps. A gap is never bridged and never filled: nothing was measured there.

/** One measured point: UNIX seconds and watts, or null when the poll failed. */
export interface Point {
  time: number;
  watts: number | null;
}

/** A span in which nothing was measured, UNIX seconds. */
interface Gap {
  from: number;
  to: number;
}

/** Columns as a chart takes them, with a null wherever the line must break. */
export interface Curve {
  times: number[];
  values: (number | null)[];
  gaps: Gap[];
}

/**
 * Says how far apart two neighbours may be before what lies between is a gap. Thinning a span to `maxPoints` keeps the lowest and the highest of each
 * of half as many slices, so neighbours are less than two slices apart; a meter may also miss two polls in a row without it being a gap.
 */
export function longestStep(spanSeconds: number, maxPoints: number, cadenceSeconds: number): number {
  return Math.max((4 * spanSeconds) / maxPoints, 3 * cadenceSeconds) + cadenceSeconds;
}

/**
 * Breaks the curve wherever two measured neighbours are more than `step` apart, and names those spans. A failed poll measured nothing: it is a gap
 * once it lasts. Points must be in order of time.
 */
export function curveOf(points: readonly Point[], step: number): Curve {
  const curve: Curve = { times: [], values: [], gaps: [] };
  for (const { time, watts } of points) {
    if (watts === null) continue;
    const last = curve.times.at(-1);
    if (last !== undefined && time - last > step) {
      curve.gaps.push({ from: last, to: time });
      curve.times.push((last + time) / 2);
      curve.values.push(null);
    }
    curve.times.push(time);
    curve.values.push(watts);
  }
  return curve;
}

/** A curve with a closer look at it from `start` to `end` in its place there. */
export function spliced(coarse: Curve, close: Curve, start: number, end: number): Curve {
  const before = coarse.times.filter((time) => time < start).length;
  const after = coarse.times.findIndex((time) => time > end);
  const from = after === -1 ? coarse.times.length : after;
  const cut = coarse.gaps.flatMap((gap) => [
    { from: gap.from, to: Math.min(gap.to, start) },
    { from: Math.max(gap.from, end), to: gap.to },
  ]);
  return {
    times: [...coarse.times.slice(0, before), ...close.times, ...coarse.times.slice(from)],
    values: [...coarse.values.slice(0, before), ...close.values, ...coarse.values.slice(from)],
    gaps: [...cut, ...close.gaps].filter((gap) => gap.to > gap.from).toSorted((one, other) => one.from - other.from),
  };
}

/** The measured point of a curve nearest to `time`; null when none is within `reach`. */
export function nearestIn({ times, values }: Pick<Curve, "times" | "values">, time: number, reach: number): { time: number; value: number } | null {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  let nearest: { time: number; value: number } | null = null;
  // A break in the line has a row of its own, so the nearest measured one may be the second next.
  for (let place = Math.max(0, low - 2); place <= low + 1 && place < times.length; place += 1) {
    const [at, value] = [times[place] ?? 0, values[place] ?? null];
    if (value === null || Math.abs(at - time) > reach) continue;
    if (nearest === null || Math.abs(at - time) < Math.abs(nearest.time - time)) nearest = { time: at, value };
  }
  return nearest;
}

/** Puts a point where it belongs in time; one that is there already is replaced, so that a stream may repeat itself. */
export function withPoint(points: readonly Point[], point: Point): Point[] {
  let place = points.length;
  while (place > 0 && (points[place - 1]?.time ?? 0) > point.time) place -= 1;
  const replaces = place > 0 && points[place - 1]?.time === point.time ? 1 : 0;
  return [...points.slice(0, place - replaces), point, ...points.slice(place)];
}

/** The highest point, the first one if there are several; null when nothing was measured. */
export function peakOf(points: readonly Point[]): { time: number; watts: number } | null {
  let peak: { time: number; watts: number } | null = null;
  for (const { time, watts } of points) {
    if (watts !== null && (peak === null || watts > peak.watts)) peak = { time, watts };
  }
  return peak;
}
