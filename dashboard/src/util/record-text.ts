// A record's field as a person reads it: its name, and its value with unit, exact to the last digit.

import { exact, fingerprint, utcStamp } from "./format.ts";
import type { Field } from "./reading-record.ts";
import { text } from "./strings.ts";

export function fieldText(field: Field): { label: string; value: string } {
  const name = text.record.fields[field.name];
  return { label: field.phase === null ? name : `${name} ${field.phase}`, value: valueText(field) };
}

function valueText({ name, hex, value }: Field): string {
  if (name === "meter") return fingerprint(hex);
  if (value === null) return text.record.absent;
  switch (name) {
    case "type":
      return text.record.readingTypes[Number(value) - 1] ?? String(value);
    case "utc":
      return Number.isNaN(new Date(Number(value)).getTime()) ? String(value) : utcStamp(Number(value));
    case "uptime":
      return exact(value, 3, "s");
    case "timeQuality":
      return text.record.timeQuality[Number(value)] ?? String(value);
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

function flagsText(flags: number): string {
  const set = text.record.flags.filter((_, bit) => (flags >> bit) % 2 === 1);
  return set.length === 0 ? text.record.none : set.join(", ");
}
