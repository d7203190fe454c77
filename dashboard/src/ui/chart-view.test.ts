import { describe, expect, test } from "vitest";
import { bounded, isWhole, panned, pinched, reaching, zoomed } from "./chart-view.ts";

const day = { from: 0, to: 86_400 };

describe("zooming", () => {
  test("keeps the moment under the pointer where it is", () => {
    expect(zoomed(day, 0.5, 21_600, day, 60)).toEqual({ from: 10_800, to: 54_000 });
  });

  test("out ends with the whole", () => {
    expect(zoomed({ from: 80_000, to: 86_400 }, 100, 86_000, day, 60)).toEqual(day);
    expect(isWhole(zoomed({ from: 80_000, to: 86_400 }, 100, 86_000, day, 60), day)).toBe(true);
  });

  test("in ends with the shortest", () => {
    const view = zoomed({ from: 100, to: 200 }, 0.01, 150, day, 60);
    expect(view).toEqual({ from: 120, to: 180 });
  });

  test("at an edge stays within the bounds", () => {
    expect(zoomed({ from: 0, to: 10_000 }, 2, 10_000, day, 60)).toEqual({ from: 0, to: 20_000 });
  });
});

describe("panning", () => {
  test("moves without changing what fits", () => {
    expect(panned({ from: 1000, to: 2000 }, 500, day)).toEqual({ from: 1500, to: 2500 });
  });

  test("stops at the ends", () => {
    expect(panned({ from: 1000, to: 2000 }, -5000, day)).toEqual({ from: 0, to: 1000 });
    expect(panned({ from: 85_000, to: 86_000 }, 5000, day)).toEqual({ from: 85_400, to: 86_400 });
  });
});

describe("reaching a moment", () => {
  const view = { from: 40_000, to: 44_000 };

  test("within the view leaves it where it is", () => {
    expect(reaching(view, 44_000, day)).toBe(view);
  });

  test("far out of the view, such as the first or the last of the day, takes the view there", () => {
    expect(reaching(view, 1500, day)).toEqual({ from: 500, to: 4500 });
    expect(reaching(view, 86_390, day)).toEqual({ from: 82_400, to: 86_400 });
  });

  test("just out of the view moves it by a quarter", () => {
    expect(reaching(view, 44_010, day)).toEqual({ from: 41_010, to: 45_010 });
  });
});

describe("two fingers", () => {
  test("keep under them what was under them", () => {
    const view = pinched({ time: 20_000, share: 0.25 }, { time: 40_000, share: 0.75 }, day, 60);
    expect(view).toEqual({ from: 10_000, to: 50_000 });
  });

  test("on one spot or crossed over change nothing", () => {
    expect(pinched({ time: 20_000, share: 0.5 }, { time: 40_000, share: 0.51 }, day, 60)).toBeNull();
    expect(pinched({ time: 20_000, share: 0.75 }, { time: 40_000, share: 0.25 }, day, 60)).toBeNull();
  });
});

test("bounds shorter than the shortest view are shown whole", () => {
  expect(bounded({ from: 5, to: 8 }, { from: 0, to: 10 }, 60)).toEqual({ from: 0, to: 10 });
});
