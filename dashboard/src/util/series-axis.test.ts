import { describe, expect, test } from "vitest";
import { clockTicks, valueAxis } from "./series-axis.ts";

const at = (time: string) => Date.parse(time) / 1000;

function ticks(from: string, to: string, most: number, zone: string) {
  const { times, step } = clockTicks(at(from), at(to), most, zone);
  return { step, times: times.map((time) => new Date(time * 1000).toISOString().slice(11, 16)) };
}

describe("the axis of values", () => {
  test.each([
    [0, 4600, [0, 1000, 2000, 3000, 4000, 5000]],
    [0, 870, [0, 200, 400, 600, 800, 1000]],
    [0, 0.3, [0, 0.1, 0.2, 0.3]],
    [228.4, 233.1, [228, 229, 230, 231, 232, 233, 234]],
    [-120, 340, [-200, -100, 0, 100, 200, 300, 400]],
    [5, 5, [5, 5.000000001]],
  ])("from %s to %s has round lines and holds both", (low, high, lines) => {
    const axis = valueAxis(low, high, lines.length);
    expect(axis.lines).toEqual(lines);
    expect([axis.low, axis.top]).toEqual([lines[0], lines.at(-1)]);
  });

  test("never has more lines than there is room for", () => {
    for (let high = 1; high < 5000; high += 7) expect(valueAxis(-high / 3, high, 5).lines.length).toBeLessThanOrEqual(5);
  });
});

describe("the axis of time", () => {
  test("has full hours of the local clock in a zone of half hours", () => {
    expect(ticks("2026-11-21T18:30:00Z", "2026-11-22T00:30:00Z", 6, "Asia/Kolkata")).toEqual({
      step: 3600,
      times: ["18:30", "19:30", "20:30", "21:30", "22:30", "23:30", "00:30"],
    });
  });

  test("stays on even hours of the local clock behind the change of the clocks", () => {
    const { times } = ticks("2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z", 8, "Europe/Berlin");
    expect(times).toEqual(["22:00", "00:00", "01:00", "03:00", "05:00", "07:00", "09:00", "11:00"]);
  });

  test("gets finer with what is shown", () => {
    const steps = [86_400, 7200, 600, 60].map((span) => clockTicks(0, span, 8, "UTC").step);
    expect(steps).toEqual([10_800, 1800, 120, 10]);
  });
});
