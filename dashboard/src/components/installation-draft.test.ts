import { describe, expect, test } from "vitest";
import type { EnrolmentDetail } from "../api/administration.ts";
import type { InstallationDetail } from "../api/types.ts";
import { installation } from "../api/installation.fixture.ts";
import { changedFields, coordinatesOf, decimalText, draftFieldOf, draftOf, parseDecimal, publicKeyOf, readDraft, said, spacedMac, type Draft } from "./installation-draft.ts";

const enrolment: EnrolmentDetail = {
  digest: "",
  number: 1,
  time: "2026-01-01T00:00:00",
  operator: "",
  custody: "software",
  sensor_model: "shelly_em_gen1",
  shelly_mac: "EC64C9C05E97",
  channel: 1,
  production_counter: "total_returned",
  ct_ratio_milli: 1500,
  rated_power_w: 4600,
  latitude_e7: 524_987_650,
  longitude_e7: -1_340_000,
  tilt_decidegrees: 325,
  azimuth_decidegrees: 1800,
  grid_connection: "DE001",
  accepted: true,
};

const proposal = { sensor_model: null, shelly_mac: null, channel: null, production_counter: null, rated_power_w: null, time_zone: null };

function detail(changes: Partial<InstallationDetail> = {}): InstallationDetail {
  return { ...installation, timezone: "Europe/Berlin", enrolment, proposal, last_boot: null, status_report: null, revocation: null, ...changes };
}

function invalidOf(changes: Partial<Draft>, held: EnrolmentDetail | null = null): readonly string[] {
  return readDraft({ ...draftOf(detail()), ...changes }, held).invalid;
}

describe("numbers", () => {
  test.each([
    ["52.4987654", 7, 524_987_654n],
    ["52,5", 7, 525_000_000n],
    ["-13.4", 7, -134_000_000n],
    ["\u221213.4", 7, -134_000_000n],
    ["0.10", 1, 1n],
    ["800", 0, 800n],
    ["16777217.001", 3, 16_777_217_001n],
  ])("%s with %i digits is exact", (text, digits, value) => {
    expect(parseDecimal(text, digits)).toBe(value);
  });

  test.each([
    ["1.05", 1],
    ["1,000.5", 3],
    ["1e3", 0],
    ["", 0],
    [".5", 1],
    ["5.", 1],
    ["0x10", 0],
  ])("%s with %i digits is none", (text, digits) => {
    expect(parseDecimal(text, digits)).toBeUndefined();
  });

  test.each([
    [524_987_650, 7, "52.498765"],
    [-1_340_000, 7, "-0.134"],
    [1000, 3, "1"],
    [0, 1, "0"],
    [-900_000_000, 7, "-90"],
  ])("%i in 10^-%i is written %s and read back the same", (value, digits, text) => {
    expect(decimalText(value, digits)).toBe(text);
    expect(parseDecimal(text, digits)).toBe(BigInt(value));
  });
});

describe("a draft", () => {
  test("of an enrolment that holds is read as what holds", () => {
    const { approval, invalid } = readDraft(draftOf(detail()), enrolment);
    expect(invalid).toEqual([]);
    expect(approval).toMatchObject({ ct_ratio_milli: 1500, latitude_e7: 524_987_650, longitude_e7: -1_340_000, tilt_decidegrees: 325, channel: 1 });
  });

  test("takes the meter's proposal where nothing holds", () => {
    const draft = draftOf(detail({ enrolment: null, proposal: { ...proposal, shelly_mac: "EC64C9C05E97", rated_power_w: 800, production_counter: "total_returned" } }));
    expect(draft).toMatchObject({ mac: "EC:64:C9:C0:5E:97", ratedPower: "800", counter: "total_returned", sensorModel: "", channel: "0" });
  });

  test("of a meter that proposes nothing lacks what must be said", () => {
    expect(readDraft(draftOf(detail({ enrolment: null })), null).invalid).toEqual(["sensorModel", "mac", "ratedPower"]);
  });

  test.each([
    ["ratedPower", "0"],
    ["ratedPower", "4.6"],
    ["ratedPower", "4294967295"],
    ["ctRatio", "0"],
    ["ctRatio", "1.0001"],
    ["latitude", "90.0000001"],
    ["longitude", "-180.5"],
    ["tilt", "91"],
    ["azimuth", "360"],
    ["mac", "EC:64:C9:C0:5E"],
    ["timeZone", "Europe/Atlantis"],
    ["name", " "],
    ["name", "ä".repeat(33)],
    ["gridConnection", "x".repeat(41)],
    ["channel", "256"],
  ] as const)("refuses %s as %s", (field, text) => {
    expect(invalidOf({ [field]: text })).toContain(field);
  });

  test("has both coordinates or none", () => {
    expect(invalidOf({ latitude: "52" , longitude: "" })).toEqual(["longitude"]);
    expect(invalidOf({ latitude: "", longitude: "" })).toEqual([]);
  });

  test("cannot take back a place that is held", () => {
    expect(invalidOf({ latitude: "", longitude: "", tilt: "" }, enrolment)).toEqual(["latitude", "tilt"]);
  });

  test("of a three-phase sensor has the channel 0", () => {
    const { approval, invalid } = readDraft({ ...draftOf(detail()), sensorModel: "shelly_em_gen2", channel: "2" }, null);
    expect([approval.channel, invalid]).toEqual([0, []]);
  });
});

test("another way to write the same is no change", () => {
  const before = draftOf(detail());
  expect(changedFields({ ...before, ctRatio: "1,500", mac: "ec64c9c05e97", latitude: "+52.4987650" }, before)).toEqual([]);
  expect(changedFields({ ...before, ratedPower: "4700", name: "Barn" }, before)).toEqual(["ratedPower"]);
});

test("what is not said is left out, so that the gateway keeps it", () => {
  expect(said({ name: "Barn", time_zone: null })).toEqual({ name: "Barn" });
});

test("a field of the gateway's answer is found in the form", () => {
  expect(draftFieldOf("shelly_mac")).toBe("mac");
  expect(draftFieldOf("owner")).toBeNull();
});

test("coordinates are taken as maps give them", () => {
  expect(coordinatesOf("52.4987, -13.4050")).toEqual({ latitude: "52.4987", longitude: "-13.4050" });
  expect(coordinatesOf("52,4987")).toBeNull();
  expect(coordinatesOf("52.4987")).toBeNull();
});

test("a MAC address is shown in pairs", () => {
  expect(spacedMac("ec64c9c05e97")).toBe("EC:64:C9:C0:5E:97");
  expect(spacedMac("unknown")).toBe("unknown");
});

describe("a public key", () => {
  const key = "5c".repeat(64);

  test.each([
    ["its digits", key.toUpperCase()],
    ["SEC 1", `04${key}`],
    ["lines", `${key.slice(0, 64)}\n${key.slice(64)}\n`],
    ["what the program prints", `key file    meter.key\npublic key  ${key}\nid          ${"ab".repeat(32)}\nfingerprint abab-abab-abab-abab`],
  ])("is taken from %s", (_, text) => {
    expect(publicKeyOf(text)).toBe(key);
  });

  test("is not taken from an id or a private key", () => {
    expect(publicKeyOf("ab".repeat(32))).toBeUndefined();
    expect(publicKeyOf("-----BEGIN PRIVATE KEY-----")).toBeUndefined();
  });
});
