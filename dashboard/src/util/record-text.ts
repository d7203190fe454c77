// A record's field as a person reads it: its name, and its value with unit, exact to the last digit.

import { exact, fingerprint, utcStamp } from "./format.ts";
import type { Field } from "./record-fields.ts";
import type { FieldName } from "./record-layout.ts";
import { t } from "./text.ts";

/** By their number in the record. */
const timeQualities = ["unknown", "informative", "synchronised", "relative"] as const;

/** Of a reading, by their bit in the record. */
const readingFlags = [
  "sensorUnreachable",
  "sensorSaysInvalid",
  "wrongSensor",
  "sensorAnswerMalformed",
  "queued",
  "recovered",
  "counterFell",
  "incrementRefused",
  "incrementPending",
  "clockStepped",
  "sensorClockUnset",
  "sensorClockDiffers",
] as const;

/** Of a window, by their bit in the record. */
const windowFlags = ["recovered", "orderlyStop"] as const;

/** The fields of readings and windows; those of other records are not shown as bytes. */
const named = [
  "type",
  "version",
  "meter",
  "boot",
  "sequence",
  "time",
  "uptime",
  "time_quality",
  "power",
  "import_total",
  "export_total",
  "counter_epoch",
  "produced",
  "voltage",
  "current",
  "reactive_power",
  "temperature",
  "flags",
  "chain_index",
  "previous",
  "first_sequence",
  "last_sequence",
  "count",
  "first_time",
  "last_time",
  "produced_open",
  "produced_close",
  "root",
  "enrolment",
  "firmware",
  "log_size",
  "log_root",
] as const satisfies readonly FieldName[];

/** The name of a field, with its phase where it has one. */
export function fieldLabel({ name, phase }: Pick<Field, "name" | "phase">): string {
  const known = named.find((each) => each === name);
  const label = known ? t(`proof.field.${known}`) : name;
  return phase === null ? label : `${label} ${phase}`;
}

/** The value of a field of a record of type `type` (its first byte). */
export function fieldValue({ name, hex, value, form }: Field, type: number): string {
  if (form.kind === "bytes") return /^0*$/.test(hex) ? t("proof.detail.none") : fingerprint(hex);
  if (value === null) return t("proof.detail.absent");
  switch (name) {
    case "type":
      return typeText(Number(value));
    case "time":
    case "first_time":
    case "last_time":
      return timeText(value);
    case "uptime":
      return exact(value, 3, "s");
    case "time_quality":
      return qualityText(Number(value));
    case "power":
      return exact(value, 3, "W");
    case "import_total":
    case "export_total":
    case "produced":
    case "produced_open":
    case "produced_close":
      return exact(value, 3, "Wh");
    case "voltage":
      return exact(value, 3, "V");
    case "current":
      return exact(value, 3, "A");
    case "reactive_power":
      return exact(value, 3, "var");
    case "temperature":
      return exact(value, 1, "°C");
    case "flags":
      return flagsText(Number(value), type);
    default:
      return String(value);
  }
}

function typeText(value: number): string {
  if (value === 1) return t("proof.detail.readingTypes.single");
  if (value === 2) return t("proof.detail.readingTypes.threePhase");
  return value === 3 ? t("proof.detail.windowType") : String(value);
}

function timeText(value: bigint): string {
  return Number.isNaN(new Date(Number(value)).getTime()) ? String(value) : utcStamp(Number(value));
}

function qualityText(value: number): string {
  const quality = timeQualities[value];
  return quality ? t(`proof.detail.timeQuality.${quality}`) : String(value);
}

/** The names of the flags that are set, of a reading or (type 3) a window. */
export function flagsText(value: number, type: number): string {
  const names = type === 3 ? windowFlags : readingFlags;
  const set = names.filter((_, bit) => (value >> bit) % 2 === 1);
  return set.length === 0 ? t("proof.detail.none") : set.map((flag) => t(`proof.detail.flags.${flag}`)).join(", ");
}
