// How a day of a meter is drawn: its curve, the gaps at both ends, and an axis that suits it. It draws nothing.

import { curveOf, type Curve, type Point } from "./series.ts";

/**
 * The curve of a day from `since` (its start, or the meter's own beginning) until `until` (now, or its end), with the gap before the first and
 * after the last measurement.
 */
export function dayCurve(points: readonly Point[], step: number, since: number, until: number): Curve {
  const curve = curveOf(points, step);
  const first = curve.times[0];
  const last = curve.times.at(-1);
  if (first === undefined || last === undefined) return curve;
  if (first - since > step) curve.gaps.unshift({ from: since, to: first });
  if (until - last > step) curve.gaps.push({ from: last, to: until });
  return curve;
}

/** The power measured nearest to `time`; null in a gap, before the first and after the last point. */
export function valueAt(points: readonly Point[], time: number, step: number): number | null {
  let nearest: Point | null = null;
  for (const point of points) {
    if (point.watts === null) continue;
    if (nearest === null || Math.abs(point.time - time) < Math.abs(nearest.time - time)) nearest = point;
  }
  return nearest && Math.abs(nearest.time - time) <= step ? nearest.watts : null;
}

/** The axis' largest value: the first round one above the peak, and above the rated power when the peak comes near it. */
export function axisTop(peak: number, rated: number | null): number {
  const reach = Math.max(peak * 1.04, rated !== null && peak > rated * 0.6 ? rated * 1.02 : 0, 10);
  const magnitude = 10 ** Math.floor(Math.log10(reach));
  const round = [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * magnitude >= reach) ?? 10;
  return round * magnitude;
}
