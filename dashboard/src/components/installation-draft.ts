// What an operator enters about a meter, read into what the gateway is asked for. It sends nothing, and never takes a number through a float.

import type { Announcement, Approval, EnrolmentDetail, LabelRequest } from "../api/administration.ts";
import type { InstallationDetail } from "../api/types.ts";
import { counters, custodies, sensorModels } from "./terms.ts";

/** The fields of the form as they are typed. */
export interface Draft {
  name: string;
  timeZone: string;
  sensorModel: string;
  mac: string;
  channel: string;
  counter: string;
  ctRatio: string;
  ratedPower: string;
  latitude: string;
  longitude: string;
  tilt: string;
  azimuth: string;
  gridConnection: string;
  custody: string;
}

export type DraftField = keyof Draft;

/** The API's name of each field. */
const apiNames = {
  name: "name",
  timeZone: "time_zone",
  sensorModel: "sensor_model",
  mac: "shelly_mac",
  channel: "channel",
  counter: "production_counter",
  ctRatio: "ct_ratio_milli",
  ratedPower: "rated_power_w",
  latitude: "latitude_e7",
  longitude: "longitude_e7",
  tilt: "tilt_decidegrees",
  azimuth: "azimuth_decidegrees",
  gridConnection: "grid_connection",
  custody: "custody",
} as const satisfies Readonly<Record<DraftField, keyof Approval>>;

/** The field that the API names so; null for none of ours. */
export function draftFieldOf(apiName: string | null | undefined): DraftField | null {
  const found = Object.entries(apiNames).find(([, name]) => name === apiName);
  return found ? (found[0] as DraftField) : null;
}

/** The form as it is before anything is typed: what holds, else what the meter proposes, else what is so of most meters. */
export function draftOf({ name, timezone, enrolment, proposal }: InstallationDetail): Draft {
  const held = enrolment ?? null;
  return {
    name,
    timeZone: timezone,
    sensorModel: held?.sensor_model ?? proposal.sensor_model ?? "",
    mac: spacedMac(held?.shelly_mac ?? proposal.shelly_mac ?? ""),
    channel: String(held?.channel ?? proposal.channel ?? 0),
    counter: held?.production_counter ?? proposal.production_counter ?? "total",
    ctRatio: decimalText(held?.ct_ratio_milli ?? 1000, 3),
    ratedPower: textOf(held?.rated_power_w ?? proposal.rated_power_w, 0),
    latitude: textOf(held?.latitude_e7, 7),
    longitude: textOf(held?.longitude_e7, 7),
    tilt: textOf(held?.tilt_decidegrees, 1),
    azimuth: textOf(held?.azimuth_decidegrees, 1),
    gridConnection: held?.grid_connection ?? "",
    custody: held?.custody ?? "software",
  };
}

function textOf(value: number | null | undefined, fractionDigits: number): string {
  return value == null ? "" : decimalText(value, fractionDigits);
}

/** What was read, and the fields that cannot be read. */
export interface ReadDraft {
  approval: Required<Pick<Approval, (typeof apiNames)[DraftField]>>;
  invalid: readonly DraftField[];
}

const ratedPowerMax = 4_294_967_294n;
const ctRatioMax = 4_294_967_295n;

/** Reads the form. A place that is held can be changed but not taken back, as the gateway keeps what it is not told. */
export function readDraft(draft: Draft, held: EnrolmentDetail | null): ReadDraft {
  const invalid: DraftField[] = [];
  const read = <Value>(field: DraftField, value: Value | undefined): Value | null => {
    if (value !== undefined) return value;
    invalid.push(field);
    return null;
  };
  const optional = (field: "latitude" | "longitude" | "tilt" | "azimuth", digits: number, least: bigint, most: bigint): number | null => {
    if (draft[field].trim() === "") return null;
    return read(field, numberWithin(parseDecimal(draft[field], digits), least, most));
  };

  const name = read("name", isName(draft.name) ? draft.name.trim() : undefined);
  const timeZone = read("timeZone", isTimeZone(draft.timeZone) ? draft.timeZone : undefined);
  const sensorModel = read("sensorModel", sensorModels.find((each) => each === draft.sensorModel));
  const isThreePhase = sensorModel !== null && isThreePhaseModel(sensorModel);
  const mac = read("mac", macDigits(draft.mac));
  const channel = isThreePhase ? 0 : read("channel", numberWithin(parseDecimal(draft.channel, 0), 0n, 255n));
  const counter = read("counter", counters.find((each) => each === draft.counter));
  const ctRatio = read("ctRatio", numberWithin(parseDecimal(draft.ctRatio, 3), 1n, ctRatioMax));
  const ratedPower = read("ratedPower", numberWithin(parseDecimal(draft.ratedPower, 0), 1n, ratedPowerMax));
  let latitude = optional("latitude", 7, -900_000_000n, 900_000_000n);
  let longitude = optional("longitude", 7, -1_800_000_000n, 1_800_000_000n);
  const tilt = optional("tilt", 1, 0n, 900n);
  const azimuth = optional("azimuth", 1, 0n, 3599n);
  const gridConnection = read("gridConnection", isShort(draft.gridConnection.trim(), 40) ? draft.gridConnection.trim() : undefined);
  const custody = read("custody", custodies.find((each) => each === draft.custody));

  const isEmpty = (field: DraftField) => draft[field].trim() === "";
  const isTakenBack = (field: DraftField, before: number | null | undefined) => before != null && isEmpty(field);
  if (isEmpty("latitude") !== isEmpty("longitude")) invalid.push(isEmpty("latitude") ? "latitude" : "longitude");
  else if (isTakenBack("latitude", held?.latitude_e7)) invalid.push("latitude");
  if (isTakenBack("tilt", held?.tilt_decidegrees)) invalid.push("tilt");
  if (isTakenBack("azimuth", held?.azimuth_decidegrees)) invalid.push("azimuth");
  if (invalid.includes("latitude") || invalid.includes("longitude")) [latitude, longitude] = [null, null];

  return {
    approval: {
      name,
      time_zone: timeZone,
      sensor_model: sensorModel,
      shelly_mac: mac,
      channel,
      production_counter: counter,
      ct_ratio_milli: ctRatio,
      rated_power_w: ratedPower,
      latitude_e7: latitude,
      longitude_e7: longitude,
      tilt_decidegrees: tilt,
      azimuth_decidegrees: azimuth,
      grid_connection: gridConnection,
      custody,
    },
    invalid,
  };
}

/** Only what is said: the gateway keeps, or takes from the meter's proposal, what it is not told. */
export function said<Request extends Approval | LabelRequest | Announcement>(request: Request): Request {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null)) as Request;
}

/** What a new Enrolment would say otherwise than the one that holds. The name and the time zone are in none. */
export function changedFields(draft: Draft, before: Draft): DraftField[] {
  const fields = Object.keys(apiNames) as DraftField[];
  return fields.filter((field) => field !== "name" && field !== "timeZone" && meaning(field, draft) !== meaning(field, before));
}

/** What is typed, without the ways in which the same can be typed. */
function meaning(field: DraftField, draft: Draft): string {
  const digits: Partial<Record<DraftField, number>> = { channel: 0, ctRatio: 3, ratedPower: 0, latitude: 7, longitude: 7, tilt: 1, azimuth: 1 };
  if (field === "mac") return macDigits(draft.mac) ?? draft.mac;
  const fractionDigits = digits[field];
  if (fractionDigits === undefined) return draft[field].trim();
  return parseDecimal(draft[field], fractionDigits)?.toString() ?? draft[field].trim();
}

export function isThreePhaseModel(model: string): boolean {
  return model === "shelly_3em_gen1" || model === "shelly_em_gen2";
}

/** A name as a record can hold it: 1 to 64 bytes of UTF-8 without control characters. */
export function isName(name: string): boolean {
  return name.trim() !== "" && isShort(name.trim(), 64);
}

/** Whether a text fits a field of so many bytes. */
export function isShort(text: string, bytes: number): boolean {
  return new TextEncoder().encode(text).length <= bytes && !/\p{Cc}/u.test(text);
}

function isTimeZone(zone: string): boolean {
  try {
    return zone !== "" && Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
}

/**
 * A decimal number times 10^digits, exactly; undefined when it is none or has more digits after the point. Comma and point both
 * part the fraction, so thousands are not parted.
 */
export function parseDecimal(text: string, digits: number): bigint | undefined {
  const [whole, sign = "", integer = "", fraction = ""] = /^([+\-\u2212]?)(\d+)(?:[.,](\d+))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > digits) return undefined;
  const value = BigInt(integer + kept.padEnd(digits, "0"));
  return sign === "-" || sign === "\u2212" ? -value : value;
}

/** The shortest decimal of an integer in units of 10^-digits, as it can be typed. */
export function decimalText(value: number, digits: number): string {
  const size = Math.abs(value).toString().padStart(digits + 1, "0");
  const fraction = digits > 0 ? size.slice(-digits).replace(/0+$/, "") : "";
  const integer = digits > 0 ? size.slice(0, -digits) : size;
  return `${value < 0 ? "-" : ""}${integer}${fraction ? `.${fraction}` : ""}`;
}

function numberWithin(value: bigint | undefined, least: bigint, most: bigint): number | undefined {
  return value === undefined || value < least || value > most ? undefined : Number(value);
}

/** A pair of coordinates as maps give it to copy; null when it is anything else. */
export function coordinatesOf(text: string): { latitude: string; longitude: string } | null {
  const [, latitude, longitude] = /^\s*([+-]?\d+\.\d+)°?\s*[,;\s]\s*([+-]?\d+\.\d+)°?\s*$/.exec(text) ?? [];
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}

function macDigits(text: string): string | undefined {
  const digits = text.replaceAll(/[:.\s-]/g, "").toUpperCase();
  return /^[0-9A-F]{12}$/.test(digits) ? digits : undefined;
}

/** A MAC address as sensors print it on themselves. */
export function spacedMac(mac: string): string {
  const digits = macDigits(mac);
  return digits ? (digits.match(/../g) ?? []).join(":") : mac;
}

/** A public key out of what was pasted: 128 hex digits, 130 with the leading 04, or all that `wattwitness keys` prints. Undefined when there is none. */
export function publicKeyOf(text: string): string | undefined {
  const labelled = /public key\s+([0-9a-fA-F]+)/.exec(text)?.[1];
  const digits = labelled ?? text.replaceAll(/[\s:-]/g, "").replace(/^0x/i, "");
  if (/^04[0-9a-fA-F]{128}$/.test(digits)) return digits.slice(2).toLowerCase();
  return /^[0-9a-fA-F]{128}$/.test(digits) ? digits.toLowerCase() : undefined;
}
