import { describe, expect, test } from "vitest";
import { axisTop, dayCurve, valueAt } from "./day-curve.ts";

const points = [
  { time: 100, watts: 1 },
  { time: 110, watts: 2 },
];

describe("the ends of a day", () => {
  test("silence before the first and after the last measurement is a gap", () => {
    expect(dayCurve(points, 30, 0, 500).gaps).toEqual([
      { from: 0, to: 100 },
      { from: 110, to: 500 },
    ]);
  });

  test("the time before a meter existed and the time to come are none", () => {
    expect(dayCurve(points, 30, 95, 120).gaps).toEqual([]);
  });

  test("a meter that measured nothing today has no curve to break", () => {
    expect(dayCurve([], 30, 0, 500)).toEqual({ times: [], values: [], gaps: [] });
  });
});

describe("the value under the pointer", () => {
  test("is the nearest measurement's", () => {
    expect(valueAt(points, 104, 30)).toBe(1);
    expect(valueAt(points, 106, 30)).toBe(2);
  });

  test("is none in a gap", () => {
    expect(valueAt(points, 200, 30)).toBeNull();
  });
});

describe("the axis", () => {
  test.each([
    [7600, 9600, 10_000],
    [500, 9600, 600],
    [5400, 6400, 8000],
    [0, 9600, 10],
    [0, null, 10],
    [950, null, 1000],
  ])("a peak of %s W of %s W rated ends at %s W", (peak, rated, top) => {
    expect(axisTop(peak, rated)).toBe(top);
  });
});
