import { expect, test } from "vitest";
import { installation } from "../api/installation.fixture.ts";
import type { EnergyBar } from "../util/bars.ts";
import { localDay } from "../util/instant.ts";
import { hourRows } from "./meter-table.tsx";

/** The hours of a local day, each with this much energy. */
function hoursOf(date: string, timezone: string, wattHours: number) {
  const { start, end } = localDay(Date.parse(date), timezone);
  const bars = Array.from({ length: (end - start) / 3_600_000 }, (_, hour): EnergyBar => {
    const timestamp = start / 1000 + hour * 3600;
    return { label: "", timestamp, end: timestamp + 3600, value: wattHours, readings: 360, spans_gap: false };
  });
  return { installation: { ...installation, timezone }, bars };
}

const noon = "2026-02-03T12:00:00Z";
const later = Date.parse("2027-01-01T00:00:00Z");

test("meters of two zones stand side by side by their own clocks", () => {
  const rows = hourRows([hoursOf(noon, "Europe/Berlin", 1500), hoursOf(noon, "Atlantic/Canary", 200)], later);
  expect(rows).toHaveLength(24);
  expect(rows[9]).toEqual(["09:00–10:00", "1.50\u00a0kWh", "200\u00a0Wh"]);
});

test("an hour that the clocks repeat has two rows, in the order of the day", () => {
  const rows = hourRows([hoursOf("2026-10-25T12:00:00Z", "Europe/Berlin", 100)], later);
  expect(rows).toHaveLength(25);
  expect(rows.slice(1, 5).map(([name]) => name)).toEqual(["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET"]);
});

test("an hour without a reading, and one that is still to come, has no energy rather than none produced", () => {
  const { installation: meter, bars } = hoursOf(noon, "UTC", 100);
  const silent = bars.map((bar, hour) => (hour === 8 ? Object.assign(bar, { value: 0, readings: 0 }) : bar));
  const rows = hourRows([{ installation: meter, bars: silent }], Date.parse(noon));
  expect([7, 8, 9, 13].map((hour) => rows[hour]?.[1])).toEqual(["100\u00a0Wh", "–", "100\u00a0Wh", "–"]);
});
