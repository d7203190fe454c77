import { describe, expect, test } from "vitest";
import { curveOf, longestStep, nearestIn, peakOf, spliced, withPoint, type Point } from "./series.ts";

const points = (...pairs: [number, number | null][]): Point[] => pairs.map(([time, watts]) => ({ time, watts }));

describe("a curve", () => {
  test("neighbours within the step are joined", () => {
    expect(curveOf(points([0, 1], [10, 2], [20, 3]), 10)).toEqual({ times: [0, 10, 20], values: [1, 2, 3], gaps: [] });
  });

  test("a gap breaks the line and is named", () => {
    expect(curveOf(points([0, 1], [10, 2], [100, 3]), 30)).toEqual({
      times: [0, 10, 55, 100],
      values: [1, 2, null, 3],
      gaps: [{ from: 10, to: 100 }],
    });
  });

  test("a failed poll is never drawn as zero, and is a gap once it lasts", () => {
    const short = curveOf(points([0, 1], [10, null], [20, 2]), 30);
    expect(short).toEqual({ times: [0, 20], values: [1, 2], gaps: [] });
    const long = curveOf(points([0, 1], [10, null], [20, null], [30, null], [40, 2]), 30);
    expect(long.gaps).toEqual([{ from: 0, to: 40 }]);
    expect(long.values).toEqual([1, null, 2]);
  });

  test("a measured zero is no gap", () => {
    expect(curveOf(points([0, 0], [10, 0]), 10).gaps).toEqual([]);
  });

  test("nothing measured makes an empty curve", () => {
    expect(curveOf(points([0, null]), 10)).toEqual({ times: [], values: [], gaps: [] });
  });
});

describe("the longest step", () => {
  test("neighbours of a day thinned to 1440 points may be two slices of two minutes apart", () => {
    expect(longestStep(86_400, 1440, 10)).toBe(250);
  });

  test("a short span allows two missed polls", () => {
    expect(longestStep(3600, 1440, 10)).toBe(40);
  });
});

describe("a live point", () => {
  test("goes to the end", () => {
    expect(withPoint(points([0, 1]), { time: 10, watts: 2 })).toEqual(points([0, 1], [10, 2]));
  });

  test("from a backlog goes to its own time", () => {
    expect(withPoint(points([0, 1], [20, 3]), { time: 10, watts: 2 })).toEqual(points([0, 1], [10, 2], [20, 3]));
    expect(withPoint(points([10, 1]), { time: 0, watts: 2 })).toEqual(points([0, 2], [10, 1]));
  });

  test("that is repeated changes nothing", () => {
    const once = withPoint(points([0, 1]), { time: 10, watts: 2 });
    expect(withPoint(once, { time: 10, watts: 2 })).toEqual(once);
  });
});

describe("the measured point nearest to a time", () => {
  const curve = { times: [0, 10, 55, 100], values: [1, 2, null, 3] };

  test.each([
    [4, 0],
    [6, 10],
    [50, 10],
    [60, 100],
    [-5, 0],
    [120, 100],
  ])("to %s is that of %s", (time, nearest) => {
    expect(nearestIn(curve, time, 60)?.time).toBe(nearest);
  });

  test("is none where nothing was measured for long", () => {
    expect(nearestIn(curve, 50, 30)).toBeNull();
    expect(nearestIn({ times: [], values: [] }, 50, 30)).toBeNull();
  });
});

describe("a closer look", () => {
  const coarse = { times: [0, 10, 20, 30, 40], values: [0, 1, 2, 3, 4], gaps: [] };

  test("stands in place of what was there, and the rest stays", () => {
    const close = { times: [11, 15, 19, 25], values: [5, 6, 7, 8], gaps: [] };
    expect(spliced(coarse, close, 10, 30)).toEqual({ times: [0, 11, 15, 19, 25, 40], values: [0, 5, 6, 7, 8, 4], gaps: [] });
  });

  test("brings its own gaps, and cuts those that reach into it", () => {
    const broken = { ...coarse, gaps: [{ from: 5, to: 25 }] };
    const close = { times: [12, 28], values: [1, 2], gaps: [{ from: 12, to: 28 }] };
    expect(spliced(broken, close, 10, 30).gaps).toEqual([
      { from: 5, to: 10 },
      { from: 12, to: 28 },
    ]);
  });

  test("at the end of what is known leaves nothing after it", () => {
    expect(spliced(coarse, { times: [35], values: [9], gaps: [] }, 30, 99).times).toEqual([0, 10, 20, 35]);
  });
});

test("the peak is the first of the highest and never a failed poll", () => {
  expect(peakOf(points([0, null], [10, 5], [20, 7], [30, 7]))).toEqual({ time: 20, watts: 7 });
  expect(peakOf(points([0, null]))).toBeNull();
});
