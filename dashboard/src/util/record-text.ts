// A record's field as a person reads it: its name, and its value with unit, exact to the last digit.

import { exact, fingerprint, utcStamp } from "./format.ts";
import type { Field } from "./reading-record.ts";
import { t } from "./text.ts";

/** By their number in the record, less one. */
const readingTypes = ["single", "threePhase"] as const;

/** By their number in the record. */
const timeQualities = ["unknown", "informative", "synchronised", "relative"] as const;

/** By their bit in the record. */
const flags = [
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

export function fieldText(field: Field): { label: string; value: string } {
  const name = t(`record.detail.fields.${field.name}`);
  return { label: field.phase === null ? name : `${name} ${field.phase}`, value: valueText(field) };
}

function valueText({ name, hex, value }: Field): string {
  if (name === "meter") return fingerprint(hex);
  if (value === null) return t("record.detail.absent");
  switch (name) {
    case "type":
      return textOf(readingTypes[Number(value) - 1], (type) => t(`record.detail.readingTypes.${type}`)) ?? String(value);
    case "utc":
      return Number.isNaN(new Date(Number(value)).getTime()) ? String(value) : utcStamp(Number(value));
    case "uptime":
      return exact(value, 3, "s");
    case "timeQuality":
      return textOf(timeQualities[Number(value)], (quality) => t(`record.detail.timeQuality.${quality}`)) ?? String(value);
    case "power":
      return exact(value, 3, "W");
    case "importTotal":
    case "exportTotal":
    case "produced":
      return exact(value, 3, "Wh");
    case "voltage":
      return exact(value, 3, "V");
    case "current":
      return exact(value, 3, "A");
    case "reactivePower":
      return exact(value, 3, "var");
    case "temperature":
      return exact(value, 1, "°C");
    case "flags":
      return flagsText(Number(value));
    case "version":
    case "boot":
    case "sequence":
    case "counterEpoch":
      return String(value);
  }
}

function flagsText(value: number): string {
  const set = flags.filter((_, bit) => (value >> bit) % 2 === 1);
  return set.length === 0 ? t("record.detail.none") : set.map((flag) => t(`record.detail.flags.${flag}`)).join(", ");
}

function textOf<Name>(name: Name | undefined, text: (name: Name) => string): string | null {
  return name === undefined ? null : text(name);
}
