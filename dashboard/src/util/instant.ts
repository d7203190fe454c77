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

function localDate(ms: number, zone: string): [year: number, month: number, date: number] {
  const found = { year: 0, month: 0, day: 0 };
  for (const { type, value } of parts(zone).formatToParts(ms)) {
    if (type === "year" || type === "month" || type === "day") found[type] = Number(value);
  }
  return [found.year, found.month, found.day];
}

const kept = new Map<string, Intl.DateTimeFormat>();

function parts(zone: string): Intl.DateTimeFormat {
  let format = kept.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric", calendar: "gregory" });
    kept.set(zone, format);
  }
  return format;
}
