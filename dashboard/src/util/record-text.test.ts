import { describe, expect, test } from "vitest";
import { ourRecords } from "./golden-vectors.fixture.ts";
import { cutFields } from "./record-fields.ts";
import { fieldLabel, fieldValue } from "./record-text.ts";

const texts = (name: string) => {
  const { payload = "" } = ourRecords.find((record) => record.name === name) ?? {};
  return Object.fromEntries((cutFields(payload) ?? []).map((field) => [fieldLabel(field), fieldValue(field, Number(payload.slice(0, 2)))]));
};

describe("a record's fields", () => {
  test("of a reading are read with their units, exactly", () => {
    expect(texts("reading of a real Shelly EM")).toMatchObject({
      Type: "Reading",
      Sequence: "4711",
      "Time (UTC)": "2025-06-19 15:19:40.000",
      Uptime: "86400.123\u00a0s",
      "Time quality": "Synchronised",
      "Power at the sensor": "16.350\u00a0W",
      Produced: "8.900\u00a0Wh",
      Voltage: "237.130\u00a0V",
      Flags: "none",
    });
  });

  test("say what is absent instead of showing the reserved value", () => {
    expect(texts("reading of a real Shelly EM")).toMatchObject({ Current: "absent", Temperature: "absent" });
  });

  test("of three phases name the phase", () => {
    expect(Object.keys(texts("three phases, one of them without a voltage"))).toContain("Voltage B");
  });

  test("of a window have its own flags, and say where there is no digest", () => {
    expect(texts("window of one reading, recovered, no time, no enrolment, no log")).toMatchObject({ Type: "Window", Flags: "recovered", Enrolment: "none" });
  });
});
