// The calendar of a site: which hour, day, week, month or year holds a moment, what comes before and after, and how an address names it. It formats
// nothing for people and asks nobody.

import { dayStart, localClock, localDate, localDay, localHour } from "./instant.ts";

export const spans = ["hour", "day", "week", "month", "year"] as const;
export type Span = (typeof spans)[number];

/** A calendar period of a site, from its first instant to the first of the next, milliseconds. */
export interface Period {
  span: Span;
  start: number;
  end: number;
  /** How an address names it: `2026-10-25` for the day and for what begins on it, `2026-10-25T14` for an hour, `2026-10-25T02b` for one that the clocks repeat. */
  date: string;
}

export function isSpan(text: string | null): text is Span {
  return spans.some((span) => span === text);
}

/** The period of this span that holds the moment. Weeks begin on Monday. */
export function periodAt(span: Span, ms: number, zone: string): Period {
  const [year, month, date] = localDate(ms, zone);
  switch (span) {
    case "hour": {
      const hour = localHour(ms, zone);
      return { span, ...hour, date: nameOfHour(hour.start, zone) };
    }
    case "day":
      return { span, ...localDay(ms, zone), date: nameOfDate(year, month, date) };
    case "week": {
      const monday = date - ((new Date(Date.UTC(year, month - 1, date)).getUTCDay() + 6) % 7);
      return between(span, [year, month, monday], [year, month, monday + 7], zone);
    }
    case "month":
      return between(span, [year, month, 1], [year, month + 1, 1], zone);
    case "year":
      return between(span, [year, 1, 1], [year + 1, 1, 1], zone);
  }
}

/** The period that an address names; a whole date names the hour that begins the day, and an hour the day that holds it. Null for anything else. */
export function periodNamed(span: Span, name: string, zone: string): Period | null {
  const [, year, month, date, hour, again] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(b?))?$/.exec(name) ?? [];
  if (year === undefined || month === undefined || date === undefined) return null;
  const noon = new Date(`${year}-${month}-${date}T12:00:00Z`);
  // A date that is none, such as the 31st of June, is read by browsers as one of the next month.
  if (Number.isNaN(noon.getTime()) || noon.getUTCDate() !== Number(date)) return null;
  const start = dayStart(Number(year), Number(month), Number(date), zone);
  if (span !== "hour" || hour === undefined) return periodAt(span, start, zone);
  if (Number(hour) > 23) return null;
  return hourNamed(start, Number(hour), again === "b", zone);
}

/** The period before (`by` −1), after (1), or further away. */
export function stepped(period: Period, by: number, zone: string): Period {
  let found = period;
  for (let step = 0; step < Math.abs(by); step += 1) found = periodAt(found.span, by < 0 ? found.start - 1 : found.end, zone);
  return found;
}

/** Whether nothing of it has happened yet. */
export function isFuture(period: Period, now: number): boolean {
  return period.start > now;
}

/** Whether it is going on. */
export function isCurrent(period: Period, now: number): boolean {
  return period.start <= now && now < period.end;
}

/** How the API's `at` names it: an hour by its first instant, for a local date would not say which; all else by its first date. */
export function atOf(period: Period): string {
  return period.span === "hour" ? new Date(period.start).toISOString() : period.date;
}

/**
 * Where on `to` a moment of `from` is drawn when the two are compared: at the same time of the local clock, counted in whole days from the start, so
 * that noon stands under noon though the clocks changed in between. Milliseconds.
 */
export function carried(ms: number, from: Period, fromZone: string, to: Period, toZone: string): number {
  if (from.span === "hour") return ms - from.start + to.start;
  const day = localDay(ms, fromZone);
  const days = Math.round((day.start - from.start) / 86_400_000);
  const [year, month, date] = localDate(to.start, toZone);
  const target = dayStart(year, month, date + days, toZone);
  const { hours, minutes, seconds } = localClock(ms, fromZone);
  const wall = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  const guess = target + wall;
  const there = localClock(guess, toZone);
  const off = ((there.hours * 60 + there.minutes) * 60 + there.seconds) * 1000 - wall;
  // A clock that has already gone to the next day is ahead of the time wanted, not most of a day behind it.
  return guess - (off < -43_200_000 ? off + 86_400_000 : off > 43_200_000 ? off - 86_400_000 : off);
}

type CalendarDate = readonly [year: number, month: number, date: number];

function between(span: Span, from: CalendarDate, to: CalendarDate, zone: string): Period {
  const [year, month, date] = from;
  const first = new Date(Date.UTC(year, month - 1, date));
  return {
    span,
    start: dayStart(...from, zone),
    end: dayStart(...to, zone),
    date: nameOfDate(first.getUTCFullYear(), first.getUTCMonth() + 1, first.getUTCDate()),
  };
}

function nameOfDate(year: number, month: number, date: number): string {
  return `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(date)}`;
}

function nameOfHour(start: number, zone: string): string {
  const { year, month, date, hours } = localClock(start, zone);
  const isRepeated = localClock(start - 1, zone).hours === hours;
  return `${nameOfDate(year, month, date)}T${twoDigits(hours)}${isRepeated ? "b" : ""}`;
}

function hourNamed(dayStarts: number, wanted: number, again: boolean, zone: string): Period {
  let found = periodAt("hour", dayStarts, zone);
  for (let next = found; next.start < localDay(dayStarts, zone).end; next = stepped(next, 1, zone)) {
    const { hours } = localClock(next.start, zone);
    if (hours > wanted) break;
    const isSecond = next.date.endsWith("b");
    // An hour that the clocks skip, or do not repeat, is the one before it.
    if (hours < wanted || !isSecond || again) found = next;
  }
  return found;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
