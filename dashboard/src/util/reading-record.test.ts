import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readingFields } from "./reading-record.ts";
import { fieldText } from "./record-text.ts";

// One field a line, in the order of docs/FORMAT.md.
const record = [
  "01",
  "01",
  "ab".repeat(32),
  "00000007",
  "0000000000000539",
  "0000019788c63ab0",
  "0000000000004f4c",
  "02",
  "0000000000003fde",
  "00000000000022c4",
  "0000000000000000",
  "0001",
  "00000000000022c5",
  "00039e4a",
  "ffffffff",
  "8000000000000000",
  "ffd8",
  "0030",
].join("");

const phase = "0000000000000001000000020000000300000000000000040000000000000005";

const texts = (hex: string) => Object.fromEntries((readingFields(hex) ?? []).map((field) => Object.values(fieldText(field))));

describe("a reading's bytes", () => {
  test("are cut at the offsets of the format", () => {
    expect(readingFields(record)?.map(({ offset }) => offset)).toEqual([
      0, 1, 2, 34, 38, 46, 54, 62, 63, 71, 79, 87, 89, 97, 101, 105, 113, 115,
    ]);
  });

  test("are read with their units, exactly", () => {
    expect(texts(record)).toMatchObject({
      Type: "Reading",
      Sequence: "1337",
      "Time (UTC)": "2025-06-19 15:19:42.000",
      "Time quality": "Synchronised",
      "Power at the sensor": "16.350\u00a0W",
      "Import total": "8.900\u00a0Wh",
      Produced: "8.901\u00a0Wh",
      Voltage: "237.130\u00a0V",
      Temperature: "−4.0\u00a0°C",
      Flags: "queued, recovered",
    });
  });

  test("say what is absent instead of showing the reserved value", () => {
    expect(texts(record)).toMatchObject({ Current: "absent", "Reactive power": "absent" });
  });

  test("of three phases go on with each phase", () => {
    const fields = readingFields(`02${record.slice(2)}${phase.repeat(3)}`);
    expect(fields?.length).toBe(18 + 15);
    expect(fields?.at(-1)).toEqual({ name: "exportTotal", phase: "C", offset: 205, hex: "0000000000000005", value: 5n });
  });

  test.each([
    ["truncated", record.slice(0, -2)],
    ["with a byte too many", `${record}00`],
    ["of another type", `03${record.slice(2)}`],
    ["of another version", `0102${record.slice(4)}`],
    ["that are not hex", record.replace("ab", "xy")],
    ["empty", ""],
  ])("%s are not read at all", (_claim, hex) => {
    expect(readingFields(hex)).toBeNull();
  });
});

describe("the golden vectors of the format are read as they were written", () => {
  type Values = Record<string, string | null>;
  interface Vector {
    name: string;
    type: string;
    signer_id: string;
    payload: string;
    fields: Values & { phases?: Values[] };
  }
  const path = new URL("../../../crates/ww-wire/vectors/v1/records.json", import.meta.url);
  const { records } = JSON.parse(readFileSync(path, "utf8")) as { records: Vector[] };
  const readings = records.filter(({ type }) => type === "reading" || type === "three-phase-reading");

  test.each(readings)("$name", ({ signer_id, payload, fields: { phases = [], ...sum } }) => {
    const fields = readingFields(payload) ?? [];
    expect(fields[2]?.hex).toBe(signer_id);
    expect(fields.slice(3).map(({ value }) => value?.toString() ?? null)).toEqual([sum, ...phases].flatMap((part) => Object.values(part)));
  });

  test("nothing but a reading is read", () => {
    const others = records.filter((each) => !readings.includes(each));
    expect(others.filter(({ payload }) => readingFields(payload) !== null)).toEqual([]);
    expect(others.length).toBeGreaterThan(0);
  });
});
