import { describe, expect, test } from "vitest";
import { clearSkyBand, planeIrradiance, sunPosition, type Aspect } from "./clear-sky.ts";

const utc = (iso: string) => Date.parse(iso) / 1000;
const kassel: Aspect = { latitude: 51.312, longitude: 9.479, tilt: 30, azimuth: 180 };

describe("the sun's position", () => {
  test("is that of the worked example of NREL's SPA", () => {
    // I. Reda, A. Andreas, NREL/TP-560-34302, table A5.1: zenith 50.11162°, azimuth 194.34024°.
    const sun = sunPosition(utc("2003-10-17T12:30:30-07:00"), 39.742476, -105.1786);
    expect(90 - sun.elevation).toBeCloseTo(50.11, 1);
    expect(sun.azimuth).toBeCloseTo(194.34, 1);
  });

  // Sunrise and sunset as almanacs print them, to the minute.
  test.each([
    ["Berlin, the longest day", 52.52, 13.405, "2024-06-21T04:43:00+02:00", "2024-06-21T21:33:00+02:00"],
    ["New York, the shortest day", 40.7128, -74.006, "2024-12-21T07:17:00-05:00", "2024-12-21T16:32:00-05:00"],
    ["Sydney, a winter's day", -33.8688, 151.2093, "2024-06-21T07:00:00+10:00", "2024-06-21T16:54:00+10:00"],
    ["Singapore, an equinox", 1.3521, 103.8198, "2024-03-20T07:09:00+08:00", "2024-03-20T19:15:00+08:00"],
  ])("crosses the horizon at the almanac's minutes: %s", (_place, latitude, longitude, sunrise, sunset) => {
    // The almanac's sun rises with its upper limb; its centre is then 16 minutes of arc lower.
    const isUp = (time: number) => sunPosition(time, latitude, longitude).elevation > -16 / 60;
    expect(isUp(utc(sunrise) - 180)).toBe(false);
    expect(isUp(utc(sunrise) + 180)).toBe(true);
    expect(isUp(utc(sunset) - 180)).toBe(true);
    expect(isUp(utc(sunset) + 180)).toBe(false);
  });
});

/** What ww-sim's sun (crates/ww-sim/src/sun.rs) says of the same places at sea level: elevation, azimuth, light on the plane at turbidity 5 and 2. */
const simulated = [
  { at: 1_782_036_000, latitude: 51.312, longitude: 9.479, tilt: 30, azimuth: 180, says: [57.7878, 141.9844, 838.04, 984.11] },
  { at: 1_782_018_000, latitude: 51.312, longitude: 9.479, tilt: 12, azimuth: 90, says: [14.5927, 70.5076, 183.76, 354.27] },
  { at: 1_782_007_200, latitude: -33.87, longitude: 151.21, tilt: 25, azimuth: 0, says: [32.7124, 359.1534, 601.49, 818.97] },
  { at: 1_789_999_200, latitude: -0.18, longitude: -78.47, tilt: 5, azimuth: 0, says: [43.2761, 89.0703, 604.92, 716.36] },
  { at: 1_782_082_800, latitude: 69.65, longitude: 18.96, tilt: 90, azimuth: 0, says: [3.3438, 3.1964, 9.36, 311.4] },
];

test.each(simulated)("sun and light are those of the simulator at latitude $latitude, tilt $tilt", ({ at, latitude, longitude, tilt, azimuth, says }) => {
  const sun = sunPosition(at, latitude, longitude);
  const found = [sun.elevation, sun.azimuth, planeIrradiance(sun, 5, tilt, azimuth), planeIrradiance(sun, 2, tilt, azimuth)];
  found.forEach((value, place) => {
    expect(value).toBeCloseTo(says[place] ?? Number.NaN, place < 2 ? 3 : 1);
  });
});

const day = (aspect: Aspect, date: string) => clearSkyBand(aspect, 6000, utc(`${date}T00:00Z`), utc(`${date}T00:00Z`) + 86_400);

function peakFacing(azimuth: number): number {
  const { times, low } = day({ ...kassel, azimuth }, "2026-06-21");
  return times[low.indexOf(Math.max(...low))] ?? 0;
}

describe("the band of a clear day", () => {
  test("has a value every ten minutes and at both ends", () => {
    const from = utc("2026-06-21T00:00Z");
    const { times, low, high } = clearSkyBand(kassel, 6000, from, from + 1500);
    expect(times).toEqual([from, from + 600, from + 1200, from + 1500]);
    expect([low.length, high.length]).toEqual([4, 4]);
  });

  test("is zero at night and lies around noon's plausible power", () => {
    const { times, low, high } = day(kassel, "2026-06-21");
    const noon = times.indexOf(utc("2026-06-21T11:20Z"));
    const midnight = times.indexOf(utc("2026-06-21T23:20Z"));
    expect([low[midnight], high[midnight]]).toEqual([0, 0]);
    expect(low[noon]).toBeGreaterThan(6000 * 0.5);
    expect(low[noon]).toBeLessThan(6000 * 0.75);
    expect(high[noon]).toBe(6000);
  });

  test.each([-90, -66, -33, 0, 23.4, 51.3, 66, 90])("at latitude %s the low edge is never above the high one, nor that above the rating", (latitude) => {
    for (const tilt of [0, 35, 90]) {
      for (const date of ["2026-03-20", "2026-06-21", "2026-12-21"]) {
        const { low, high } = day({ latitude, longitude: 9.5, tilt, azimuth: 200 }, date);
        high.forEach((watts, place) => {
          expect(watts).toBeLessThanOrEqual(6000);
          expect(low[place]).toBeLessThanOrEqual(watts);
          expect(low[place]).toBeGreaterThanOrEqual(0);
        });
      }
    }
  });

  test("at a pole is light all day in its summer and dark all day in its winter", () => {
    const pole: Aspect = { latitude: 90, longitude: 0, tilt: 60, azimuth: 180 };
    expect(Math.min(...day(pole, "2026-06-21").high)).toBeGreaterThan(0);
    expect(Math.max(...day(pole, "2026-12-21").high)).toBe(0);
  });

  test("of a roof to the east has its peak before that of a roof to the west", () => {
    expect(peakFacing(90)).toBeLessThan(peakFacing(270));
  });
});
