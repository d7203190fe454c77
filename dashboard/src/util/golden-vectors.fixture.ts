// The golden vectors of the format, read from beside the code that they bind, and a window of signed readings made from their test keys.

import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { signatureStructure, type Meaning, type SignedItem } from "./cose.ts";
import { bytesOf, hexOf, type Bytes } from "./hex.ts";
import { leafHash, rootOf, stepsOf } from "./merkle.ts";
import { javascriptEngine } from "./p256-javascript.ts";
import { cutFields, decode, encode, fieldDigits, type SignedRecord } from "./record-fields.ts";
import type { FieldName, RecordType } from "./record-layout.ts";
import type { MeterKey, ReadingClaim } from "./verify-reading.ts";
import { plantFigures } from "./verify-enrolment.ts";
import { flagNames, fromMilli, toSeconds } from "./verify-checks.ts";
import { readingFlags } from "./record-layout.ts";
import type { WindowClaim } from "./verify-window.ts";

/** One of the files of `crates/ww-wire/vectors/v1`. */
export function vectors<Shape>(file: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../../crates/ww-wire/vectors/v1/${file}`, import.meta.url), "utf8")) as Shape;
}

export interface RecordVector {
  readonly name: string;
  readonly type: string;
  readonly signer_id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly payload: string;
  readonly digest: string;
  readonly leaf_hash: string;
  readonly public_key: string;
  readonly domain: string;
  readonly sig_structure: string;
  readonly signature: string;
  readonly cose_sign1: string;
}

export const records = vectors<{ records: RecordVector[] }>("records.json").records;

const isOurs = (type: string): type is RecordType => ["reading", "three-phase-reading", "window", "enrolment"].includes(type);

/** The records that this dashboard reads. */
export const ourRecords = records.filter((record): record is RecordVector & { type: RecordType } => isOurs(record.type));

export const keys = vectors<{ keys: { label: string; secret: string; public_key: string; id: string }[] }>("keys.json").keys;

export const bytes = (hex: string): Bytes => bytesOf(hex) ?? new Uint8Array();

/** Signs with a test key, low s. */
export function sign(secret: string, meaning: Meaning, payload: string): string {
  return hexOf(p256.sign(signatureStructure(meaning, bytes(payload)), bytes(secret), { lowS: true }));
}

/** A record like another with some of its numbers and digits replaced. */
export function like(payload: string, changes: Partial<Record<FieldName, bigint | string>>): string {
  const fields = (cutFields(payload) ?? []).map((field) => {
    const change = field.phase === null ? changes[field.name] : undefined;
    if (typeof change === "string") return Object.assign(field, { hex: change });
    return change === undefined ? field : Object.assign(field, { value: change, hex: fieldDigits(field, change) ?? field.hex });
  });
  return encode(fields);
}

function recordOf(payload: string): SignedRecord {
  const { record } = decode(payload, ["reading", "three-phase-reading", "window", "enrolment"]);
  if (!record) throw new Error(`not a record: ${payload}`);
  return record;
}

const [meter = { secret: "", public_key: "", id: "" }, operator = { secret: "", public_key: "", id: "" }] = keys;
const vectorOf = (name: string) => records.find((each) => each.name === name)?.payload ?? "";

const enrolment = like(vectorOf("enrolment by the operator"), {});
const bothSigned = (payload: string): SignedItem[] => [
  { payload, signature: sign(operator.secret, "enrolment", payload) },
  { payload, signature: sign(meter.secret, "enrolment-acceptance", payload) },
];
const enrolments = bothSigned(enrolment);

/** The meter whose key signs everything here. */
export const meterKey: MeterKey = { meterId: meter.id, publicKey: meter.public_key, enrolments };
export const meterSecret = meter.secret;

/** The meter after it accepted a second enrolment, like the first but for these values. */
export function enrolledAgain(changes: Parameters<typeof like>[1]): MeterKey {
  return { ...meterKey, enrolments: [...enrolments, ...bothSigned(like(enrolment, { number: 99n, ...changes }))] };
}

const installation = 7;
const first = 100n;
const started = 1_750_346_400_000n;

/** A window of this many readings and what a gateway would answer of them. */
export async function sealedWindow(count: number) {
  const readings = Array.from({ length: count }, (_, place) =>
    like(vectorOf("reading of a real Shelly EM"), {
      sequence: first + BigInt(place),
      time: started + 10_000n * BigInt(place),
      produced: 9000n + BigInt(place),
    }),
  );
  const entries = readings.map(bytes);
  const digest = hexOf(await javascriptEngine.sha256(bytes(enrolment)));
  const window = like(vectorOf("window of ten minutes"), {
    chain_index: 3n,
    previous: "5a".repeat(32),
    boot: recordOf(readings[0] ?? "").fields[3]?.value ?? 1n,
    first_sequence: first,
    last_sequence: first + BigInt(count) - 1n,
    count: BigInt(count),
    first_time: started,
    last_time: started + 10_000n * BigInt(count - 1),
    produced_open: 8990n,
    produced_close: 9000n + BigInt(count - 1),
    root: hexOf(await rootOf(javascriptEngine, entries)),
    enrolment: digest,
  });
  return { readings, entries, window, windowSignature: sign(meter.secret, "window", window) };
}

/** A reading's answer, live with its own signature. */
export function liveClaim(record: string): ReadingClaim {
  const type = record.startsWith("02") ? "three-phase-reading" : "reading";
  return { record, signature: sign(meter.secret, type, record), proof: null, ...answerOf(record, null) };
}

/** A reading's answer, sealed at this place of its window. */
export async function sealedClaim(index: number, count: number): Promise<ReadingClaim> {
  const { readings, entries, window, windowSignature } = await sealedWindow(count);
  const path = await Promise.all(
    (stepsOf(index, count) ?? []).map(async ({ sibling }) => {
      const below = entries.slice(sibling.start, sibling.end);
      const [only] = below;
      return hexOf(below.length === 1 && only ? await leafHash(javascriptEngine, only) : await rootOf(javascriptEngine, below));
    }),
  );
  const record = readings[index] ?? "";
  const root = hexOf(await rootOf(javascriptEngine, entries));
  const proof = { leaf_index: index, leaf_count: count, path, root, window_record: window, window_signature: windowSignature };
  return { record, signature: null, proof, ...answerOf(record, 3) };
}

function answerOf(payload: string, window: number | null): Pick<ReadingClaim, "shown" | "asked"> {
  const record = recordOf(payload);
  const value = (name: FieldName) => record.fields.find((field) => field.name === name && field.phase === null)?.value ?? null;
  const id = installation * 2 ** 29 + Number(value("sequence"));
  const shown = {
    id,
    installation_id: installation,
    ...plantFigures({ digest: "", record: recordOf(enrolment) }, record),
    timestamp: toSeconds(value("time")),
    sequence: Number(value("sequence")),
    produced_wh: fromMilli(value("produced")),
    meter_id: meter.id,
    flags: flagNames(value("flags"), readingFlags).split(" ").filter(Boolean),
    window_id: window,
  };
  return { shown, asked: { installation, reading: id } };
}

/** A window's answer with all its readings. */
export async function windowClaim(count: number): Promise<WindowClaim> {
  const { readings, window, windowSignature } = await sealedWindow(count);
  const record = recordOf(window);
  const value = (name: FieldName) => record.fields.find((field) => field.name === name)?.value ?? 0n;
  const digits = (name: FieldName) => record.fields.find((field) => field.name === name)?.hex ?? "";
  return {
    record: window,
    signature: windowSignature,
    readings: readings.map((reading) => {
      const { shown } = answerOf(reading, 3);
      return { id: shown?.id ?? 0, sequence: shown?.sequence ?? 0, timestamp: shown?.timestamp ?? null, power_w: shown?.power_w ?? null, record: reading };
    }),
    previous: "not-served",
    asked: { installation, window: 3 },
    shown: {
      id: 3,
      installation_id: installation,
      digest: hexOf(await javascriptEngine.sha256(bytes(window))),
      boot: Number(value("boot")),
      chain_index: 3,
      previous_digest: digits("previous"),
      first_sequence: Number(value("first_sequence")),
      last_sequence: Number(value("last_sequence")),
      count,
      first_timestamp: toSeconds(value("first_time")),
      last_timestamp: toSeconds(value("last_time")),
      energy_wh: fromMilli(value("produced_close") - value("produced_open")) ?? 0,
      produced_close_wh: fromMilli(value("produced_close")) ?? 0,
      root: digits("root"),
      enrolment_digest: digits("enrolment"),
      firmware_digest: digits("firmware"),
      flags: [],
    },
  };
}
