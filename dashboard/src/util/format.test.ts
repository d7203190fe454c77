import { afterEach, beforeAll, describe, expect, test } from "vitest";
import * as format from "./format.ts";
import { languages, loadTexts, speak } from "./text.ts";

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

describe("the axes of a chart", () => {
  test.each([
    [500, 2500, "0.5 kWh"],
    [1000, 2500, "1 kWh"],
    [500_000, 2_000_000, "0.5 MWh"],
    [200, 800, "200 Wh"],
    [0, 800, "0 Wh"],
  ])("%s Wh of at most %s reads %s", (wattHours, largest, expected) => {
    expect(format.axisEnergy(wattHours, largest)).toBe(expected.replace(" ", nbsp));
  });

  test("are named in one unit for volts, and with a sign for what runs backwards", () => {
    expect(format.axisVoltage(230.5)).toBe(`230.5${nbsp}V`);
    expect(format.axisReactive(-500, 2000)).toBe(`−0.5${nbsp}kvar`);
  });
});

test.each([
  [0.173, "+17 %"],
  [-0.5, "−50 %"],
  [0.004, "±0 %"],
])("a change of %s reads %s", (share, expected) => {
  expect(format.change(share)).toBe(expected.replace(" ", nbsp));
});

describe("the names of periods and their bars", () => {
  const berlin = "Europe/Berlin";
  const name = (span: "hour" | "day" | "week" | "month" | "year", from: string, to: string) => format.periodName(span, at(from), at(to), berlin);

  test("are those of the site's calendar", () => {
    expect(name("day", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")).toBe("Sunday 25 October 2026");
    expect(name("week", "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z")).toMatch(/^19\D+25 Oct 2026$/);
    expect(name("month", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")).toBe("October 2026");
    expect(name("year", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z")).toBe("2026");
    expect(name("hour", "2026-10-20T10:00:00Z", "2026-10-20T11:00:00Z")).toMatch(/20 Oct 2026, 12:00\D+13:00$/);
  });

  test("tell the two hours apart that bear one time", () => {
    const hours = ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"].map((iso) => format.barFullName("day", at(iso), at(iso) + 3_600_000, berlin, true));
    expect(new Set(hours).size).toBe(2);
    expect(format.barFullName("day", at("2026-10-20T10:00:00Z"), at("2026-10-20T11:00:00Z"), berlin, false)).toBe("12:00–13:00");
  });
});

describe("in every language", () => {
  const berlin = "Europe/Berlin";
  const [first, second] = [at("2026-10-25T00:00:00Z"), at("2026-10-25T01:00:00Z")];
  const hourName = (start: number) => format.periodName("hour", start, start + 3_600_000, berlin);

  beforeAll(async () => {
    await Promise.all(languages.map((language) => loadTexts(["app"], language)));
  });

  afterEach(() => {
    speak("en");
  });

  test.each([
    ["en", "Sun 25 Oct 2026, 02:00 CEST", "Sun 25 Oct 2026, 02:00 CET", "02:01:40 CEST"],
    ["de", "So., 25. Okt. 2026, 02:00 MESZ", "So., 25. Okt. 2026, 02:00 MEZ", "02:01:40 MESZ"],
    ["es", "dom, 25 oct 2026, 02:00 CEST", "dom, 25 oct 2026, 02:00 CET", "02:01:40 CEST"],
    ["zh", "2026年10月25日周日 02:00 GMT+2", "2026年10月25日周日 02:00 GMT+1", "02:01:40 GMT+2"],
  ] as const)("an hour that the clocks repeat says after its time which one it is: %s", (language, one, other, clock) => {
    speak(language);
    expect([hourName(first), hourName(second)]).toEqual([one, other]);
    expect(format.clock(first + 100_000, berlin, true)).toBe(clock);
  });

  test.each([
    ["en", "Tue 20 Oct 2026, 12:00–13:00", "Tue 20 Oct 2026, 23:00–00:00"],
    ["de", "Di., 20. Okt. 2026, 12:00–13:00", "Di., 20. Okt. 2026, 23:00–00:00"],
    ["es", "mar, 20 oct 2026, 12:00–13:00", "mar, 20 oct 2026, 23:00–00:00"],
    ["zh", "2026年10月20日周二 12:00–13:00", "2026年10月20日周二 23:00–00:00"],
  ] as const)("any other hour begins and ends in one form: %s", (language, noon, last) => {
    speak(language);
    expect([hourName(at("2026-10-20T10:00:00Z")), hourName(at("2026-10-20T21:00:00Z"))]).toEqual([noon, last]);
  });

  test.each([
    ["en", "Sunday 22 November", "Sunday 22 November 2026"],
    ["de", "Sonntag, 22. November", "Sonntag, 22. November 2026"],
    ["es", "domingo, 22 de noviembre", "domingo, 22 de noviembre de 2026"],
    ["zh", "11月22日星期日", "2026年11月22日星期日"],
  ] as const)("a day has the same comma with its year as without: %s", (language, without, withYear) => {
    speak(language);
    const noon = at("2026-11-22T12:00:00Z");
    expect([format.day(noon, "UTC"), format.periodName("day", noon, noon, "UTC")]).toEqual([without, withYear]);
  });
});
