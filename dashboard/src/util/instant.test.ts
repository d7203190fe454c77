import { describe, expect, test } from "vitest";
import { instantOf, knownZone, localDay } from "./instant.ts";

const hours = (iso: string, zone: string) => {
  const { start, end } = localDay(Date.parse(iso), zone);
  return { start: new Date(start).toISOString(), hours: (end - start) / 3_600_000 };
};

describe("a local day", () => {
  test.each([
    ["an ordinary day", "2026-11-22T09:20:00Z", "Europe/Berlin", "2026-11-21T23:00:00.000Z", 24],
    ["the day on which clocks spring forward has 23 hours", "2026-03-29T12:00:00Z", "Europe/Berlin", "2026-03-28T23:00:00.000Z", 23],
    ["the day on which clocks fall back has 25 hours", "2026-10-25T12:00:00Z", "Europe/Berlin", "2026-10-24T22:00:00.000Z", 25],
    ["a half-hour zone", "2026-11-22T18:29:59Z", "Asia/Kolkata", "2026-11-21T18:30:00.000Z", 24],
    ["a half-hour shift", "2026-10-04T01:00:00Z", "Australia/Lord_Howe", "2026-10-03T13:30:00.000Z", 23.5],
    ["a day that begins at one because midnight does not exist", "2026-03-08T12:00:00Z", "America/Havana", "2026-03-08T05:00:00.000Z", 23],
    ["the first of a month", "2026-12-01T00:00:00Z", "UTC", "2026-12-01T00:00:00.000Z", 24],
    ["the last of a year", "2026-12-31T23:59:59Z", "UTC", "2026-12-31T00:00:00.000Z", 24],
  ])("%s", (_claim, iso, zone, start, length) => {
    expect(hours(iso, zone)).toEqual({ start, hours: length });
  });

  test("the next day is asked for anew, though the last one is remembered", () => {
    const first = localDay(Date.parse("2026-11-22T12:00:00Z"), "UTC");
    expect(localDay(first.end - 1, "UTC")).toEqual(first);
    expect(localDay(first.end, "UTC").start).toBe(first.end);
  });
});

test("a time without a zone is UTC", () => {
  expect(instantOf("2025-06-19T16:52:26.093539")).toBe(Date.UTC(2025, 5, 19, 16, 52, 26, 93));
  expect(instantOf("2025-06-19T16:52:26Z")).toBe(Date.UTC(2025, 5, 19, 16, 52, 26));
  expect(instantOf("2025-06-19T16:52:26+02:00")).toBe(Date.UTC(2025, 5, 19, 14, 52, 26));
});

test("a time that is absent or unreadable is null", () => {
  expect([instantOf(null), instantOf(undefined), instantOf("soon")]).toEqual([null, null, null]);
});

test("a zone that this browser does not know is read as UTC", () => {
  expect([knownZone("Europe/Berlin"), knownZone("Mars/Olympus"), knownZone("")]).toEqual(["Europe/Berlin", "UTC", "UTC"]);
});
