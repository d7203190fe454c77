import { describe, expect, test } from "vitest";
import { ourRecords, records, vectors } from "./golden-vectors.fixture.ts";
import { cutFields, decode, encode, fieldDigits, fieldOf } from "./record-fields.ts";
import { recordTypes, type RecordType } from "./record-layout.ts";

interface RefusalVector {
  name: string;
  type: string;
  payload: string;
  reason: string;
  field: string | null;
}

const isOurs = (type: string): type is RecordType => recordTypes.some((ours) => ours === type);

describe("the golden vectors of the format", () => {
  test.each(ourRecords)("are read as they were written and written as they were read: $name", ({ type, signer_id, payload, fields: named }) => {
    const { record } = decode(payload, [type]);
    expect(record?.fields[2]?.hex).toBe(signer_id);
    const { phases = [], ...sum } = named as Record<string, unknown> & { phases?: Record<string, unknown>[] };
    const numbers = [sum, ...phases].flatMap((part) => Object.entries(part));
    const read = (record?.fields.slice(3) ?? []).map((field): [string, unknown] => [field.name, readAs(field)]);
    expect(read).toEqual(numbers);
    expect(encode(record?.fields ?? [])).toBe(payload);
  });

  const refusals = [
    ...vectors<{ refusals: RefusalVector[] }>("record-refusals.json").refusals,
    ...vectors<{ refusals: RefusalVector[] }>("record-refusals-2.json").refusals,
  ].filter(({ type, name }) => isOurs(type) && name !== "operator id of another key");

  test.each(refusals)("are refused for their first fault: $name", ({ type, payload, reason, field }) => {
    const { refusal } = decode(payload, isOurs(type) ? [type] : []);
    expect(refusal?.reason).toBe(reason);
    if (field !== null) expect(refusal?.detail).toBe(field);
  });

  test("are read only where they are of a type that this dashboard reads", () => {
    const others = records.filter(({ type }) => !isOurs(type));
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(({ payload }) => decode(payload, recordTypes).record !== null || cutFields(payload) !== null)).toEqual([]);
  });
});

describe("a reading's fields", () => {
  const payload = ourRecords.find(({ type }) => type === "three-phase-reading")?.payload ?? "";
  const fields = cutFields(payload) ?? [];

  test("stand at the offsets of the format, the phases behind the sum", () => {
    const offsets = fields.map(({ offset }) => offset);
    expect(offsets.slice(0, 18)).toEqual([0, 1, 2, 34, 38, 46, 54, 62, 63, 71, 79, 87, 89, 97, 101, 105, 113, 115]);
    expect(fields.at(-1)).toMatchObject({ name: "export_total", phase: "C", offset: 205, size: 8 });
    expect(fields.reduce((length, { size }) => length + size, 0)).toBe(payload.length / 2);
  });

  test("take a value that fits their width and no other", () => {
    const power = fieldOf(fields, "power");
    if (!power) throw new Error("no power");
    expect(fieldDigits(power, -1n)).toBe("ffffffffffffffff");
    expect(fieldDigits(power, 2n ** 63n)).toBeNull();
    const meter = fieldOf(fields, "meter");
    expect(meter ? fieldDigits(meter, 1n) : "").toBeNull();
  });

  test("are cut even where a value is refused, so that a forgery can be shown", () => {
    const forged = `${payload.slice(0, 230)}ffff${payload.slice(234)}`;
    expect(decode(forged, recordTypes).refusal?.reason).toBe("unknown-bits");
    expect(cutFields(forged)?.length).toBe(fields.length);
  });

  test.each([
    ["cut short", payload.slice(0, -2)],
    ["of another version", `0102${payload.slice(4)}`],
    ["that are not hexadecimal", `${payload.slice(0, -2)}zz`],
    ["empty", ""],
  ])("are not cut from bytes %s", (_claim, hex) => {
    expect(cutFields(hex)).toBeNull();
  });
});

function readAs({ form, hex, value }: { form: { kind: string }; hex: string; value: bigint | null }): unknown {
  if (form.kind === "text") return new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))).replace(/\0+$/, "");
  return form.kind === "bytes" ? hex : (value?.toString() ?? null);
}
