// What a signed record says of a meter, field by field, in words. A field that is not known keeps the name that the API gives it.

import type { Fact } from "../ui/fact-list.tsx";
import { degrees, energy, exact, fingerprint, nothing, power } from "../util/format.ts";
import { t } from "../util/text.ts";
import { draftFieldOf, spacedMac } from "./installation-draft.ts";
import { counterName, reasonName, sensorName } from "./installation-words.ts";
import { termOf } from "./terms.ts";

export function summaryFact(name: string, value: string): Fact {
  return { id: name, label: labelOf(name), value: value === "" ? nothing : valueOf(name, value) };
}

const otherLabels = {
  number: "installations.summary.number",
  reason: "installations.revoke.reason",
  note: "installations.revoke.note",
  old_meter: "installations.summary.oldMeter",
  new_meter: "installations.summary.newMeter",
  last_index: "installations.summary.lastIndex",
  last_digest: "installations.summary.lastDigest",
  produced_close_wh: "installations.summary.producedClose",
  target: "installations.summary.target",
  reduction_wh: "installations.summary.energy",
  first_sequence: "installations.summary.firstSequence",
  last_sequence: "installations.summary.lastSequence",
} as const;

function labelOf(name: string): string {
  const field = draftFieldOf(name);
  if (field) return t(`installations.field.${field}.label`);
  const known = Object.entries(otherLabels).find(([each]) => each === name);
  return known ? t(known[1]) : name.replaceAll("_", " ");
}

function valueOf(name: string, value: string): string {
  const isInteger = /^-?\d+$/.test(value);
  switch (name) {
    case "sensor_model":
      return sensorName(value) ?? value;
    case "production_counter":
      return counterName(value);
    case "custody":
      return termOf("custody", value);
    case "reason":
      return reasonName(value);
    case "shelly_mac":
      return spacedMac(value);
    case "rated_power_w":
      return isInteger ? power(Number(value)) : value;
    case "ct_ratio_milli":
      return isInteger ? exact(BigInt(value), 3, "") : value;
    case "latitude_e7":
    case "longitude_e7":
      return isInteger ? degrees(Number(value), 7) : value;
    case "tilt_decidegrees":
    case "azimuth_decidegrees":
      return isInteger ? degrees(Number(value), 1) : value;
    case "old_meter":
    case "new_meter":
    case "last_digest":
    case "target":
      return /^[0-9a-f]{64}$/.test(value) ? fingerprint(value) : value;
    case "produced_close_wh":
    case "reduction_wh":
      return Number.isNaN(Number(value)) ? value : energy(Number(value));
    default:
      return value;
  }
}
