import { describe, expect, test } from "vitest";
import { changeOf, drawnBars, sumOf, type EnergyBar } from "./bars.ts";

const hour = 3600;
const bar = (place: number, rest: Partial<EnergyBar> = {}): EnergyBar => ({
  label: `${String(place).padStart(2, "0")}:00`,
  timestamp: place * hour,
  end: (place + 1) * hour,
  value: 100 + place,
  readings: 360,
  spans_gap: false,
  ...rest,
});
const past = { now: 1e9, since: 0, others: null, arrived: [] };
const day = Array.from({ length: 24 }, (_, place) => bar(place));

const days = (count: number) => Array.from({ length: count }, (_, place) => bar(place, { label: `Oct ${String(place + 1)}` }));

describe("a bar", () => {
  test("in which nothing was measured is no zero", () => {
    const [drawn] = drawnBars([bar(0, { value: 0, readings: 0 })], past);
    expect(drawn).toMatchObject({ value: null, state: "whole" });
  });

  test("of a measured zero is a zero", () => {
    expect(drawnBars([bar(0, { value: 0 })], past)[0]?.value).toBe(0);
  });

  test("in which readings are missing says so", () => {
    expect(drawnBars([bar(0, { spans_gap: true })], past)[0]).toMatchObject({ value: 100, state: "partial" });
  });

  test("grows by what arrived of its own time, though it be over", () => {
    const arrived = [
      { time: hour - 1, wattHours: 3 },
      { time: hour, wattHours: 7 },
      { time: -1, wattHours: 1000 },
    ];
    const drawn = drawnBars([bar(0), bar(1), bar(2, { value: 0, readings: 0 })], { ...past, now: 1.5 * hour, arrived });
    expect(drawn.map(({ value, state }) => [value, state])).toEqual([
      [103, "whole"],
      [108, "growing"],
      [null, "ahead"],
    ]);
  });

  test("from before the meter began misses nothing", () => {
    expect(drawnBars([bar(0, { value: 0, readings: 0 })], { ...past, since: hour })[0]?.state).toBe("ahead");
  });

  test("from before the meter was announced shows what was measured then, and counts in the sum", () => {
    const drawn = drawnBars([bar(0), bar(1, { value: 0, readings: 0 }), bar(2, { value: 0 })], { ...past, since: 3 * hour });
    expect(drawn.map(({ value, state }) => [value, state])).toEqual([
      [100, "whole"],
      [null, "ahead"],
      [0, "whole"],
    ]);
    expect(sumOf(drawn)).toBe(100);
  });
});

describe("beside another period", () => {
  test("a day of 25 hours finds each hour of one of 24 by the clock", () => {
    const long = [...day.slice(0, 3), bar(2, { timestamp: 3 * hour, end: 4 * hour }), ...day.slice(3)];
    const others = drawnBars(long, { ...past, others: day }).map(({ other }) => other);
    expect(others.slice(0, 6)).toEqual([100, 101, 102, null, 103, 104]);
    expect(others.at(-1)).toBe(123);
  });

  test("a day of 24 hours finds the first of the hour that was there twice", () => {
    const long = [...day.slice(0, 3), bar(2, { value: 999 }), ...day.slice(3)];
    const others = drawnBars(day, { ...past, others: long }).map(({ other }) => other);
    expect(others.slice(0, 5)).toEqual([100, 101, 102, 103, 104]);
  });

  test("a longer month has days without a like", () => {
    const others = drawnBars(days(31), { ...past, others: days(30) }).map(({ other }) => other);
    expect(others.slice(29)).toEqual([129, null]);
  });
});

test("the sum leaves out what is not known", () => {
  expect(sumOf(drawnBars([bar(0), bar(1, { value: 0, readings: 0 }), bar(2)], past))).toBe(202);
  expect(sumOf([])).toBeNull();
});

describe("a change between two periods", () => {
  test("is the share by which they differ", () => {
    expect(changeOf(150, 100, false)).toBe(0.5);
  });

  test("is not said of a period that is going on beside a whole one", () => {
    expect(changeOf(40, 100, true)).toBeNull();
  });

  test("is not said of what is not known, or of nothing", () => {
    expect([changeOf(null, 100, false), changeOf(40, null, false), changeOf(40, 0, false)]).toEqual([null, null, null]);
  });
});
