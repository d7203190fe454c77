// A record's canonical bytes, cut into their fields, put together again, and refused where docs/FORMAT.md refuses them. It checks no signature.

import { bytesOf } from "./hex.ts";
import { layouts, phase, recordTypes, typeBytes, type FieldName, type Form, type RecordType, type Row } from "./record-layout.ts";
import { brokenRule } from "./record-rules.ts";

/** One field of a record: where it is, its bytes, and its integer in the record's own unit (null when absent or not a number). */
export interface Field {
  readonly name: FieldName;
  readonly phase: "A" | "B" | "C" | null;
  readonly offset: number;
  readonly size: number;
  readonly form: Form;
  readonly hex: string;
  readonly value: bigint | null;
}

/** A record that has its one canonical form. */
export interface SignedRecord {
  readonly type: RecordType;
  readonly hex: string;
  readonly fields: readonly Field[];
}

/** Why bytes are not a record, in the words of the test vectors; and the field, or the rule that is broken. */
export interface Refusal {
  readonly reason: "empty" | "unknown-type" | "wrong-type" | "unknown-version" | "wrong-length" | "absent" | "unknown-value" | "unknown-bits" | "text" | "rule";
  readonly detail: string | null;
}

export type Decoded = { readonly record: SignedRecord; readonly refusal: null } | { readonly record: null; readonly refusal: Refusal };

/** Reads bytes as a record of one of these types. */
export function decode(hex: string, expected: readonly RecordType[]): Decoded {
  const digits = hex.toLowerCase();
  const type = typeOf(digits);
  const fields = cutFields(digits);
  const refusal = headRefusal(digits, type, expected) ?? fieldRefusal(fields ?? []) ?? ruleRefusal(type, fields ?? []);
  if (refusal !== null || type === null || fields === null) return { record: null, refusal: refusal ?? { reason: "empty", detail: null } };
  return { record: { type, hex: digits, fields }, refusal: null };
}

/** Cuts bytes of a known type, version and length into fields, whatever stands in them; null when they are anything else. */
export function cutFields(hex: string): Field[] | null {
  const digits = hex.toLowerCase();
  const type = typeOf(digits);
  if (type === null || digits.slice(2, 4) !== "01" || bytesOf(digits) === null) return null;
  const fields: Field[] = [];
  let offset = 0;
  for (const [rows, which] of partsOf(type)) {
    for (const [name, size, form] of rows) {
      const bytes = digits.slice(offset * 2, (offset + size) * 2);
      if (bytes.length < size * 2) return null;
      fields.push({ name, phase: which, offset, size, form, hex: bytes, value: integerOf(bytes, form) });
      offset += size;
    }
  }
  return digits.length === offset * 2 ? fields : null;
}

/** The canonical bytes of these fields: each value at its full width, the mark where there is none. */
export function encode(fields: readonly Field[]): string {
  return fields.map((field) => (field.value === null ? (markOf(field.form, field.hex.length) ?? field.hex) : (fieldDigits(field, field.value) ?? ""))).join("");
}

/** The digits of a field when it holds this value; null when the value does not fit or the field has no number. */
export function fieldDigits({ form, size }: Field, value: bigint): string | null {
  const bits = size * 8;
  const fits = (form.kind === "signedOptional" ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
  return fits && !isNoNumber(form) ? BigInt.asUintN(bits, value).toString(16).padStart(size * 2, "0") : null;
}

/** The first field of this name, of the sum where there are phases. */
export function fieldOf(fields: readonly Field[], name: FieldName): Field | undefined {
  return fields.find((field) => field.name === name && field.phase === null);
}

/** The number in the field of this name; null when it is absent or not a number. */
export function valueOf(record: SignedRecord, name: FieldName): bigint | null {
  return fieldOf(record.fields, name)?.value ?? null;
}

/** The digits of the field of this name. */
export function digitsIn(record: SignedRecord, name: FieldName): string {
  return fieldOf(record.fields, name)?.hex ?? "";
}

/** The number of a field that is always there in a record that was decoded. */
export function numberIn(record: SignedRecord, name: FieldName): bigint {
  return valueOf(record, name) ?? 0n;
}

function typeOf(digits: string): RecordType | null {
  const first = Number.parseInt(digits.slice(0, 2), 16);
  return recordTypes.find((type) => typeBytes[type] === first) ?? null;
}

function partsOf(type: RecordType): readonly (readonly [readonly Row[], Field["phase"]])[] {
  const sum = [layouts[type], null] as const;
  return type === "three-phase-reading" ? [sum, [phase, "A"], [phase, "B"], [phase, "C"]] : [sum];
}

function isNoNumber({ kind }: Form): boolean {
  return kind === "bytes" || kind === "text";
}

function integerOf(digits: string, form: Form): bigint | null {
  if (isNoNumber(form)) return null;
  const value = BigInt(`0x${digits}`);
  if ((form.kind === "optional" || form.kind === "signedOptional") && digits === markOf(form, digits.length)) return null;
  return form.kind === "signedOptional" ? BigInt.asIntN(digits.length * 4, value) : value;
}

/** The digits of "absent"; null for a form that has no such mark. */
function markOf({ kind }: Form, length: number): string | null {
  if (kind === "signedOptional") return `8${"0".repeat(length - 1)}`;
  return kind === "optional" || kind === "number" ? "f".repeat(length) : null;
}

function headRefusal(digits: string, type: RecordType | null, expected: readonly RecordType[]): Refusal | null {
  if (digits.length < 2) return { reason: "empty", detail: null };
  if (type === null) return { reason: "unknown-type", detail: digits.slice(0, 2) };
  if (!expected.includes(type)) return { reason: "wrong-type", detail: type };
  if (digits.length >= 4 && digits.slice(2, 4) !== "01") return { reason: "unknown-version", detail: digits.slice(2, 4) };
  return cutFields(digits) === null ? { reason: "wrong-length", detail: String(Math.floor(digits.length / 2)) } : null;
}

function fieldRefusal(fields: readonly Field[]): Refusal | null {
  for (const field of fields) {
    const reason = fieldFault(field);
    if (reason !== null) return { reason, detail: field.name };
  }
  return null;
}

function fieldFault({ form, hex, value }: Field): "absent" | "unknown-value" | "unknown-bits" | "text" | null {
  if (form.kind === "number" && hex === markOf(form, hex.length)) return "absent";
  if (form.kind === "choice" && (value === null || value < BigInt(form.from) || value > BigInt(form.to))) return "unknown-value";
  if (form.kind === "flags" && (value ?? 0n) >> BigInt(form.count) !== 0n) return "unknown-bits";
  return form.kind === "text" && !isText(hex) ? "text" : null;
}

/** UTF-8 without control characters, padded at its end with zero bytes. */
function isText(hex: string): boolean {
  const bytes = bytesOf(hex) ?? new Uint8Array();
  const end = bytes.indexOf(0);
  if (end !== -1 && bytes.slice(end).some((byte) => byte !== 0)) return false;
  try {
    return !/\p{Cc}/u.test(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(end === -1 ? bytes : bytes.slice(0, end)));
  } catch {
    return false;
  }
}

function ruleRefusal(type: RecordType | null, fields: readonly Field[]): Refusal | null {
  const rule = type === null ? null : brokenRule(type, fields);
  return rule === null ? null : { reason: "rule", detail: rule };
}
