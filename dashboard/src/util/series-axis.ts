// Where an axis has its lines: round values, and round times of the local clock. It formats nothing.

import { localDay, offsetOf } from "./instant.ts";

export interface ValueAxis {
  low: number;
  top: number;
  /** Where lines are drawn, from `low` to `top`. */
  lines: readonly number[];
}

/** An axis of at most `most` lines that holds both ends; its steps are 1, 2 or 5 times a power of ten. */
export function valueAxis(low: number, high: number, most: number): ValueAxis {
  const span = Math.max(high - low, 1e-9);
  const raw = span / (most - 1);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  // One of them always fits: the last is ten times as long as the shortest that could.
  for (const factor of [1, 2, 5, 10, 20]) {
    const step = factor * magnitude;
    const first = Math.floor(low / step + 1e-9);
    const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
    if (last - first + 1 > most) continue;
    return axisOf(first, last, step);
  }
  return axisOf(0, 1, span);
}

function axisOf(first: number, last: number, step: number): ValueAxis {
  // Products of whole numbers and a step have noise in their last digits, which a label must not show.
  const lines = Array.from({ length: last - first + 1 }, (_, line) => Number(((first + line) * step).toPrecision(12)));
  return { low: lines[0] ?? 0, top: lines.at(-1) ?? step, lines };
}

const minute = 60;
const hour = 3600;
const steps = [1, 2, 5, 10, 30, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour];

/** The offsets of time zones are multiples of this. */
const quarter = 900;

/**
 * Round times of the local clock from `from` to `to` (UNIX seconds), at most about `most` of them, and how far apart they are. An hour that the
 * clocks repeat has both its marks.
 */
export function clockTicks(from: number, to: number, most: number, zone: string): { times: number[]; step: number } {
  const step = steps.find((each) => (to - from) / each <= most) ?? 24 * hour;
  const times: number[] = [];
  if (step <= quarter) {
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
    return { times, step };
  }
  for (let time = Math.ceil(from / quarter) * quarter; time <= to; time += quarter) {
    if (sinceMidnight(time, zone) % step === 0) times.push(time);
  }
  return { times, step };
}

/** What the local clock shows, as seconds after midnight. */
function sinceMidnight(time: number, zone: string): number {
  const { start, end } = localDay(time * 1000, zone);
  // Nearly every day keeps one offset: then no calendar has to be asked for each quarter of an hour.
  if (end - start === 24 * hour * 1000) return time - start / 1000;
  const wall = time + offsetOf(time * 1000, zone) / 1000;
  return ((wall % 86_400) + 86_400) % 86_400;
}
