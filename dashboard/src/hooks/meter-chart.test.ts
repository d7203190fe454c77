import { describe, expect, test } from "vitest";
import { installation } from "../api/installation.fixture.ts";
import { readingAt } from "../api/reading.fixture.ts";
import { periodNamed, type Period } from "../util/period.ts";
import { arrivedSince, counterpartOf, finerThan } from "./meter-chart.ts";

const hour = 3_600_000;
const named = (name: string, zone = "UTC"): Period => {
  const period = periodNamed("day", name, zone);
  if (!period) throw new Error(`${name} names no day`);
  return period;
};

describe("a finer stretch", () => {
  const day = named("2026-11-22");
  const finerFrom = (hours: number) => finerThan(day, day.start + hours * hour, day.start + (hours + 2) * hour);

  test("is not asked for while half of the period or more is shown", () => {
    expect(finerThan(day, day.start, day.start + 12.5 * hour)).toBeNull();
  });

  test("holds the view with room on both sides", () => {
    for (let from = 0; from < 22; from += 0.7) {
      const [start, end] = [day.start + from * hour, day.start + (from + 2) * hour];
      const stretch = finerFrom(from);
      expect(stretch?.start).toBeLessThanOrEqual(Math.max(day.start, start - hour));
      expect(stretch?.end).toBeGreaterThanOrEqual(Math.min(day.end, end + hour));
    }
  });

  test("stays the same while the view moves a little", () => {
    expect(finerFrom(10.15)).toEqual(finerFrom(10.1));
  });

  test("never leaves the period", () => {
    expect(finerThan(day, day.start, day.start + hour)?.start).toBe(day.start);
    expect(finerThan(day, day.end - hour, day.end)?.end).toBe(day.end);
  });
});

describe("what has arrived since an answer", () => {
  test("is placed by the times of its readings", () => {
    expect(arrivedSince(50, [readingAt(3610, 62), readingAt(3600, 58), readingAt(3590, 55), readingAt(3580, 50)])).toEqual([
      { time: 3590, wattHours: 5 },
      { time: 3600, wattHours: 3 },
      { time: 3610, wattHours: 4 },
    ]);
  });

  test("is nothing where the answer or a reading knows no sum, or the sum stands still", () => {
    expect(arrivedSince(null, [readingAt(3600, 58)])).toEqual([]);
    expect(arrivedSince(50, [readingAt(3610, 50), readingAt(3600, 0, { produced_wh: null })])).toEqual([]);
  });
});

describe("what a chart is compared with", () => {
  const own = { ...installation, timezone: "Europe/Berlin" };
  const other = { ...installation, id: 2, timezone: "Asia/Kolkata" };
  const day = named("2026-10-25", "Europe/Berlin");

  test("the period before is that of the calendar, not of so many hours", () => {
    const before = counterpartOf("previous", own, [own, other], named("2026-10-26", "Europe/Berlin"));
    expect([before?.period.date, (before?.period.end ?? 0) - (before?.period.start ?? 0)]).toEqual(["2026-10-25", 25 * hour]);
  });

  test("another meter's is the same date where that one is", () => {
    const there = counterpartOf(2, own, [own, other], day);
    expect(new Date(there?.period.start ?? 0).toISOString()).toBe("2026-10-24T18:30:00.000Z");
  });

  test("a meter that is not there, waits, or is the same one is none", () => {
    const waiting = { ...other, state: "waiting" as const };
    expect([counterpartOf(3, own, [own, other], day), counterpartOf(2, own, [own, waiting], day), counterpartOf(1, own, [own], day)]).toEqual([null, null, null]);
  });
});
