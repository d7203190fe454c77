import { describe, expect, test } from "vitest";
import * as format from "./format.ts";

const nbsp = "\u00a0";
const at = (iso: string) => Date.parse(iso);

describe("power", () => {
  test.each([
    [0, "0 W"],
    [16.35, "16 W"],
    [843.4, "843 W"],
    [999.4, "999 W"],
    [999.6, "1.00 kW"],
    [3421, "3.42 kW"],
    [-5.2, "−5 W"],
    [-0.2, "0 W"],
    [999_994, "999.99 kW"],
    [999_996, "1.000 MW"],
    [1_250_000, "1.250 MW"],
    [null, "–"],
  ])("%s reads %s", (watts, expected) => {
    expect(format.power(watts)).toBe(expected.replace(" ", nbsp));
  });
});

test.each([
  [0.8375, "0.84 kWh/kWp"],
  [99.994, "99.99 kWh/kWp"],
  [112.6, "112.6 kWh/kWp"],
  [null, "–"],
])("a yield of %s reads %s", (value, expected) => {
  expect(format.joined(format.yieldFigure(value))).toBe(expected.replace(" ", nbsp));
});

describe("energy", () => {
  test.each([
    [8.9, "9 Wh"],
    [999.6, "1.00 kWh"],
    [21_700, "21.70 kWh"],
    [99_994, "99.99 kWh"],
    [99_996, "100.0 kWh"],
    [412_300, "412.3 kWh"],
    [999_960, "1.000 MWh"],
    [12_840_000, "12.840 MWh"],
    [null, "–"],
  ])("%s reads %s", (wattHours, expected) => {
    expect(format.energy(wattHours)).toBe(expected.replace(" ", nbsp));
  });
});

test("a counter keeps every tenth of a watt-hour", () => {
  expect(format.counter(4_849_540.3)).toBe(`4,849.540${nbsp}kWh`);
});

test("an axis keeps the unit of its largest value", () => {
  expect([0, 2500, 5000].map((watts) => format.axisPower(watts, 5000))).toEqual([`0${nbsp}kW`, `2.5${nbsp}kW`, `5${nbsp}kW`]);
  expect(format.axisPower(400, 800)).toBe(`400${nbsp}W`);
});

test("an integer of a record is written out exactly, beyond what a float holds", () => {
  expect(format.exact(9_007_199_254_740_993n, 3, "Wh")).toBe(`9007199254740.993${nbsp}Wh`);
  expect(format.exact(-5n, 3, "W")).toBe(`−0.005${nbsp}W`);
  expect(format.exact(7n, 0, "")).toBe("7");
});

describe("times are the site's, not the viewer's", () => {
  test("a half-hour zone", () => {
    expect(format.hourMinute(at("2026-11-22T09:20:00Z"), "Asia/Kolkata")).toBe("14:50");
  });

  test("midnight is 00, not 24", () => {
    expect(format.clock(at("2026-11-21T23:00:00Z"), "Europe/Berlin")).toBe("00:00:00");
  });

  test("a moment of another day carries its date, one of another year its year too", () => {
    const now = at("2026-11-22T12:00:00Z");
    expect(format.moment(at("2026-11-22T09:05:00Z"), now, "UTC")).toBe("09:05");
    expect(format.moment(at("2026-11-21T09:05:00Z"), now, "UTC")).toBe("21 Nov, 09:05");
    expect(format.moment(at("2025-11-21T09:05:00Z"), now, "UTC")).toBe("21 Nov 2025, 09:05");
  });
});

test.each([
  [-5, "0 s"],
  [8_000, "8 s"],
  [59_600, "1 min"],
  [7_800_000, "2 h 10 min"],
  [7_200_000, "2 h"],
  [273_600_000, "3 d 4 h"],
])("%s ms last %s", (ms, expected) => {
  expect(format.duration(ms)).toBe(expected.replaceAll(" ", nbsp));
});

test("a fingerprint is sixteen digits in fours", () => {
  expect(format.fingerprint("ab12cd34ef56ab12ffff")).toBe(["ab12", "cd34", "ef56", "ab12"].join(nbsp));
});

test("a remark of the gateway becomes a sentence", () => {
  expect(format.sentence("heard every 10 s")).toBe("Heard every 10 s.");
  expect(format.sentence("Revoked: stolen.")).toBe("Revoked: stolen.");
});
