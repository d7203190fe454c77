import { describe, expect, test } from "vitest";
import { atOf, carried, isCurrent, isFuture, periodAt, periodNamed, spans, stepped, type Period, type Span } from "./period.ts";

const hour = 3_600_000;
const iso = ({ start, end }: Period) => [new Date(start).toISOString(), new Date(end).toISOString()];
const at = (span: Span, time: string, zone: string) => periodAt(span, Date.parse(time), zone);
const named = (span: Span, name: string, zone: string) => {
  const period = periodNamed(span, name, zone);
  if (!period) throw new Error(`${name} names no ${span}`);
  return period;
};

describe("the period that holds a moment", () => {
  test.each([
    ["hour", "2026-11-22T12:34:56Z", "Europe/Berlin", "2026-11-22T12:00:00.000Z", "2026-11-22T13:00:00.000Z", "2026-11-22T13"],
    ["hour", "2026-06-19T20:00:00Z", "Asia/Kathmandu", "2026-06-19T19:15:00.000Z", "2026-06-19T20:15:00.000Z", "2026-06-20T01"],
    ["day", "2026-03-29T12:00:00Z", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z", "2026-03-29"],
    ["day", "2026-11-21T18:30:00Z", "Asia/Kolkata", "2026-11-21T18:30:00.000Z", "2026-11-22T18:30:00.000Z", "2026-11-22"],
    ["week", "2026-10-25T22:59:59Z", "Europe/Berlin", "2026-10-18T22:00:00.000Z", "2026-10-25T23:00:00.000Z", "2026-10-19"],
    ["week", "2026-10-25T23:00:00Z", "Europe/Berlin", "2026-10-25T23:00:00.000Z", "2026-11-01T23:00:00.000Z", "2026-10-26"],
    ["week", "2027-01-02T00:00:00Z", "UTC", "2026-12-28T00:00:00.000Z", "2027-01-04T00:00:00.000Z", "2026-12-28"],
    ["month", "2026-10-31T23:30:00Z", "Europe/Berlin", "2026-10-31T23:00:00.000Z", "2026-11-30T23:00:00.000Z", "2026-11-01"],
    ["month", "2026-12-31T23:59:59Z", "UTC", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z", "2026-12-01"],
    ["year", "2026-06-30T00:00:00Z", "Asia/Kolkata", "2025-12-31T18:30:00.000Z", "2026-12-31T18:30:00.000Z", "2026-01-01"],
  ] as const)("the %s of %s in %s", (span, time, zone, start, end, date) => {
    const period = at(span, time, zone);
    expect([...iso(period), period.date]).toEqual([start, end, date]);
  });
});

function hoursOf(day: string, zone: string): Period[] {
  const { start, end } = named("day", day, zone);
  const found: Period[] = [];
  for (let period = periodAt("hour", start, zone); period.start < end; period = stepped(period, 1, zone)) found.push(period);
  return found;
}

describe("hours where the clocks change", () => {
  test("the day that springs forward has no hour of two", () => {
    const names = hoursOf("2026-03-29", "Europe/Berlin").map(({ date }) => date.slice(11));
    expect(names).toHaveLength(23);
    expect(names.slice(0, 4)).toEqual(["00", "01", "03", "04"]);
  });

  test("the day that falls back has the hour of two twice, each with a name of its own", () => {
    const names = hoursOf("2026-10-25", "Europe/Berlin").map(({ date }) => date.slice(11));
    expect(names).toHaveLength(25);
    expect(names.slice(0, 5)).toEqual(["00", "01", "02", "02b", "03"]);
  });

  test("a change by half an hour leaves a half hour", () => {
    const lengths = hoursOf("2026-04-05", "Australia/Lord_Howe").map(({ start, end }) => (end - start) / hour);
    expect(lengths.slice(0, 4)).toEqual([1, 1, 0.5, 1]);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(24.5);
  });

  test("hours follow one another without a hole", () => {
    for (const [day, zone] of [["2026-10-25", "Europe/Berlin"], ["2026-10-04", "Australia/Lord_Howe"], ["2026-11-01", "America/Havana"]] as const) {
      const found = hoursOf(day, zone);
      const holes = found.filter((period, place) => place > 0 && found[place - 1]?.end !== period.start);
      expect(holes, zone).toEqual([]);
    }
  });
});

describe("stepping", () => {
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"];

  test.each(zones)("forth and back again is where one was, in %s", (zone) => {
    for (const span of spans) {
      let period = at(span, "2026-02-26T12:00:00Z", zone);
      for (let step = 0; step < 60; step += 1) {
        const next = stepped(period, 1, zone);
        expect(next.start).toBe(period.end);
        expect(stepped(next, -1, zone)).toEqual(period);
        period = next;
      }
    }
  });

  test("several steps are as many single ones", () => {
    expect(stepped(named("month", "2026-01-01", "UTC"), 13, "UTC").date).toBe("2027-02-01");
    expect(stepped(named("year", "2026-01-01", "UTC"), -2, "UTC").date).toBe("2024-01-01");
  });
});

describe("the name in an address", () => {
  test.each([...spans])("leads back to the same %s", (span) => {
    for (const zone of ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]) {
      for (let ms = Date.parse("2026-10-23T00:10:00Z"), step = 0; step < 100; step += 1, ms += hour) {
        const period = periodAt(span, ms, zone);
        expect(periodNamed(span, period.date, zone)).toEqual(period);
      }
    }
  });

  test("of any day of a week, month or year leads to the whole of it", () => {
    expect(named("week", "2026-10-25", "Europe/Berlin").date).toBe("2026-10-19");
    expect(named("month", "2026-10-25", "Europe/Berlin").date).toBe("2026-10-01");
    expect(named("year", "2026-10-25T14", "Europe/Berlin").date).toBe("2026-01-01");
  });

  test("of an hour that the clocks skip leads to the one before", () => {
    expect(named("hour", "2026-03-29T02", "Europe/Berlin").date).toBe("2026-03-29T01");
    expect(named("hour", "2026-11-22T14b", "Europe/Berlin").date).toBe("2026-11-22T14");
  });

  test.each(["", "today", "2026-13-01", "2026-06-31", "2026-1-1", "2026-10-25T24", "2026-10-25T14:00"])("%j names nothing", (name) => {
    expect(periodNamed("hour", name, "UTC")).toBeNull();
  });

  test("the API is told the first instant of an hour and the date of all else", () => {
    expect(atOf(named("hour", "2026-10-25T02b", "Europe/Berlin"))).toBe("2026-10-25T01:00:00.000Z");
    expect(atOf(named("month", "2026-10-25", "Europe/Berlin"))).toBe("2026-10-01");
  });
});

test("a period is to come, going on, or over", () => {
  const day = named("day", "2026-11-22", "UTC");
  const states = [day.start - 1, day.start, day.end - 1, day.end].map((now) => [isFuture(day, now), isCurrent(day, now)]);
  expect(states).toEqual([
    [true, false],
    [false, true],
    [false, true],
    [false, false],
  ]);
});

describe("a period laid over another", () => {
  const zone = "Europe/Berlin";
  const carry = (time: string, from: Period, to: Period) => new Date(carried(Date.parse(time), from, zone, to, zone)).toISOString();

  test("noon stands under noon though the clocks changed", () => {
    const saturday = named("day", "2026-10-24", zone);
    const sunday = named("day", "2026-10-25", zone);
    expect(carry("2026-10-24T10:00:00Z", saturday, sunday)).toBe("2026-10-25T11:00:00.000Z");
    expect(carry("2026-10-24T22:30:00Z", sunday, named("day", "2026-10-26", zone))).toBe("2026-10-25T23:30:00.000Z");
    expect(carry("2026-03-28T11:00:00Z", named("day", "2026-03-28", zone), named("day", "2026-03-29", zone))).toBe("2026-03-29T10:00:00.000Z");
  });

  test("the last minute of a day stays in its day", () => {
    expect(carry("2026-10-24T21:59:00Z", named("day", "2026-10-24", zone), named("day", "2026-10-25", zone))).toBe("2026-10-25T22:59:00.000Z");
    expect(carry("2026-03-28T22:59:00Z", named("day", "2026-03-28", zone), named("day", "2026-03-29", zone))).toBe("2026-03-29T21:59:00.000Z");
  });

  test("a site elsewhere is laid over by its own clock", () => {
    const here = named("day", "2026-11-22", zone);
    const there = named("day", "2026-11-22", "Asia/Kolkata");
    expect(new Date(carried(Date.parse("2026-11-22T06:30:00Z"), there, "Asia/Kolkata", here, zone)).toISOString()).toBe("2026-11-22T11:00:00.000Z");
  });
});
