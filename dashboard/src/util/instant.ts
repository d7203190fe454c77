// Instants as the gateway writes them, and the local days of a site. It formats nothing.

/** Milliseconds of an ISO 8601 time; without a zone it is UTC, as the API has it. Null when absent or unreadable. */
export function instantOf(iso: string | null | undefined): number | null {
  if (!iso) return null;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** A local day of a site, from its first instant to the first instant of the next. */
export interface LocalDay {
  start: number;
  end: number;
}

/** The local day of `zone` that holds `ms`: 23, 24 or 25 hours long, or less common still. */
export function localDay(ms: number, zone: string): LocalDay {
  const known = days.get(zone);
  if (known && ms >= known.start && ms < known.end) return known;
  const [year, month, date] = localDate(ms, zone);
  const day = { start: firstInstant(year, month, date, zone), end: firstInstant(year, month, date + 1, zone) };
  days.set(zone, day);
  return day;
}

/** Whether the local day that holds `ms` is not 24 hours long, so that its clock skips times or shows them twice. */
export function clocksChange(ms: number, zone: string): boolean {
  const { start, end } = localDay(ms, zone);
  return end - start !== 24 * hour;
}

/** The first instant of a local date; a date past the end of its month is one of a month that follows. */
export function dayStart(year: number, month: number, date: number, zone: string): number {
  const normal = new Date(Date.UTC(year, month - 1, date));
  return firstInstant(normal.getUTCFullYear(), normal.getUTCMonth() + 1, normal.getUTCDate(), zone);
}

/**
 * The hour of the local clock that holds `ms`, as the gateway cuts them: from full hour to full hour under one offset from UTC, so that an hour that
 * the clocks repeat is there twice and a change by half an hour leaves a half one.
 */
export function localHour(ms: number, zone: string): LocalDay {
  const offset = offsetOf(ms, zone);
  const start = ms - modulo(ms + offset, hour);
  return { start: firstWith(offset, start, ms, zone), end: lastWith(offset, ms, start + hour, zone) };
}

/** How far the local clock is ahead of UTC, milliseconds. */
export function offsetOf(ms: number, zone: string): number {
  const { year, month, date, hours, minutes, seconds } = localClock(ms, zone);
  return Date.UTC(year, month - 1, date, hours, minutes, seconds) - Math.floor(ms / 1000) * 1000;
}

/** The day of each zone that was asked for last: finding one takes dozens of calendar look-ups, and nearly every question is about today. */
const days = new Map<string, LocalDay>();

/** The zone if this browser knows it, else UTC: a wrong name must not take the page down. */
export function knownZone(zone: string | null | undefined): string {
  if (!zone) return "UTC";
  try {
    parts(zone);
    return zone;
  } catch {
    return "UTC";
  }
}

/** The time zone of this device, for times that belong to no site. */
export function viewerZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return timeZone;
}

const hour = 3_600_000;

/**
 * Finds the first instant of a local date. Midnight itself may not exist (clocks that spring forward at midnight), or exist twice, so the
 * answer is the earliest instant whose local date is the wanted one, searched around the naive guess.
 */
function firstInstant(year: number, month: number, date: number, zone: string): number {
  const wanted = Date.UTC(year, month - 1, date);
  let low = wanted - 15 * hour;
  let high = wanted + 15 * hour;
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    const [y, m, d] = localDate(middle, zone);
    if (Date.UTC(y, m - 1, d) >= wanted) high = middle;
    else low = middle;
  }
  return high;
}

/** Year, month from 1, and day of the month on the local clock. */
export function localDate(ms: number, zone: string): [year: number, month: number, date: number] {
  const { year, month, date } = localClock(ms, zone);
  return [year, month, date];
}

/** What the local clock and calendar show. */
interface LocalClock {
  year: number;
  month: number;
  date: number;
  hours: number;
  minutes: number;
  seconds: number;
}

export function localClock(ms: number, zone: string): LocalClock {
  const found: Record<string, number> = {};
  for (const { type, value } of parts(zone).formatToParts(ms)) found[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour: hours = 0, minute: minutes = 0, second: seconds = 0 } = found;
  return { year, month, date: day, hours, minutes, seconds };
}

/** The first instant from `low` on from which the clock keeps `offset` up to `high`. */
function firstWith(offset: number, low: number, high: number, zone: string): number {
  let [from, to] = [low, high];
  if (offsetOf(from, zone) === offset) return from;
  while (to - from > 1000) {
    const middle = from + Math.floor((to - from) / 2000) * 1000;
    if (offsetOf(middle, zone) === offset) to = middle;
    else from = middle;
  }
  return to;
}

/** The first instant after `low`, at most `high`, at which the clock leaves `offset`. */
function lastWith(offset: number, low: number, high: number, zone: string): number {
  let [from, to] = [low, high];
  if (offsetOf(to - 1, zone) === offset) return to;
  while (to - from > 1000) {
    const middle = from + Math.floor((to - from) / 2000) * 1000;
    if (offsetOf(middle, zone) === offset) from = middle;
    else to = middle;
  }
  return to;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

const kept = new Map<string, Intl.DateTimeFormat>();

function parts(zone: string): Intl.DateTimeFormat {
  let format = kept.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    kept.set(zone, format);
  }
  return format;
}
