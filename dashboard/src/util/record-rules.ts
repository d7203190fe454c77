// What ties the fields of one record together (the "Rules" of docs/FORMAT.md, section 6), in the order given there. That an operator's id is the hash
// of the key needs a hash and is checked with the signature.

import type { FieldName, RecordType } from "./record-layout.ts";

interface RuledField {
  readonly name: FieldName;
  readonly phase: string | null;
  readonly hex: string;
  readonly value: bigint | null;
}

type Rule = readonly [rule: string, isKept: (field: Lookup) => boolean];

interface Lookup {
  value: (name: FieldName) => bigint | null;
  isZero: (name: FieldName) => boolean;
  hex: (name: FieldName) => string;
  phases: readonly RuledField[];
}

const failedPoll = 0x000fn;
const ofIncrements = 0x01e0n;

const sensorValues: readonly FieldName[] = ["power", "import_total", "export_total", "voltage", "current", "reactive_power", "temperature"];

const hasFailed = ({ value }: Lookup) => ((value("flags") ?? 0n) & failedPoll) !== 0n;

const readingRules: readonly Rule[] = [
  ["sequence numbers start at 1", ({ isZero }) => !isZero("sequence")],
  ["boot counters start at 1", ({ isZero }) => !isZero("boot")],
  ["time is absent exactly when its quality is unknown", ({ value, isZero }) => isZero("time_quality") === (value("time") === null)],
  ["a failed poll carries no value of the sensor", (all) => !hasFailed(all) || sensorValues.every((name) => all.value(name) === null)],
  [
    "a poll that worked carries power and both totals",
    (all) => hasFailed(all) || (["power", "import_total", "export_total"] as const).every((name) => all.value(name) !== null),
  ],
  ["a failed poll has no increment to speak of", (all) => !hasFailed(all) || ((all.value("flags") ?? 0n) & ofIncrements) === 0n],
];

const rules: Readonly<Record<RecordType, readonly Rule[]>> = {
  reading: readingRules,
  "three-phase-reading": [
    ...readingRules,
    ["a failed poll carries no value of the sensor", (all) => !hasFailed(all) || all.phases.every(({ value }) => value === null)],
  ],
  window: [
    ["the first record of a chain, and only that, has no record before it", ({ isZero }) => isZero("chain_index") === isZero("previous")],
    ["boot counters start at 1", ({ isZero }) => !isZero("boot")],
    ["sequence numbers start at 1", ({ isZero }) => !isZero("first_sequence")],
    ["a window holds 1 to 600 readings", ({ value }) => (value("count") ?? 0n) >= 1n && (value("count") ?? 0n) <= 600n],
    [
      "the sequence numbers of a window follow one another, and count says how many",
      ({ value }) => (value("last_sequence") ?? 0n) - (value("first_sequence") ?? 0n) === (value("count") ?? 0n) - 1n,
    ],
    ["produced never decreases within a window", ({ value }) => (value("produced_open") ?? 0n) <= (value("produced_close") ?? 0n)],
    ["a log checkpoint has both a size and a root, or neither", ({ isZero }) => isZero("log_size") === isZero("log_root")],
  ],
  enrolment: [
    ["operator and meter have keys of their own", ({ hex }) => hex("operator_key") !== hex("meter_key")],
    ["enrolments are numbered from 1", ({ isZero }) => !isZero("number")],
    ["the transformer ratio is not zero", ({ isZero }) => !isZero("ct_ratio_milli")],
    ["the rated power is not zero", ({ isZero }) => !isZero("rated_power")],
    ["a three-phase sensor is one register: its channel is 0", ({ value, isZero }) => (value("sensor_model") ?? 0n) % 2n === 1n || isZero("channel")],
    ["coordinates are both present or both absent", ({ value }) => (value("latitude") === null) === (value("longitude") === null)],
    ["latitude is within 90 degrees", ({ value }) => isWithin(value("latitude"), 900_000_000n)],
    ["longitude is within 180 degrees", ({ value }) => isWithin(value("longitude"), 1_800_000_000n)],
    ["tilt is within 90 degrees", ({ value }) => isWithin(value("tilt"), 900n)],
    ["azimuth is below 360 degrees", ({ value }) => isWithin(value("azimuth"), 3599n)],
    ["a mint domain has both a chain and a contract, or neither", ({ isZero }) => isZero("chain_id") === isZero("minter")],
  ],
};

/** The first rule that these fields break; null when they keep all. */
export function brokenRule(type: RecordType, fields: readonly RuledField[]): string | null {
  const sum = new Map(fields.filter(({ phase }) => phase === null).map((field) => [field.name, field]));
  const all: Lookup = {
    value: (name) => sum.get(name)?.value ?? null,
    isZero: (name) => /^0*$/.test(sum.get(name)?.hex ?? ""),
    hex: (name) => sum.get(name)?.hex ?? "",
    phases: fields.filter(({ phase }) => phase !== null),
  };
  return rules[type].find(([, isKept]) => !isKept(all))?.[0] ?? null;
}

function isWithin(value: bigint | null, limit: bigint): boolean {
  return value === null || (value <= limit && value >= -limit);
}
