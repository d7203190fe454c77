// Where each field of a version 1 record stands and what may be in it: section 6 of docs/FORMAT.md for the records that this dashboard reads.

/**
 * What a field holds. `number` and `optional` have a mark for absent (all ones, or the minimum of a signed field), which a `number` refuses;
 * a `plain` number has none. `bytes` is not a number.
 */
export type Form =
  | { readonly kind: "plain" | "number" | "optional" | "signedOptional" | "bytes" | "text" }
  | { readonly kind: "choice"; readonly from: number; readonly to: number }
  | { readonly kind: "flags"; readonly count: number };

export type FieldName =
  | "type"
  | "version"
  | "meter"
  | "operator"
  | "boot"
  | "sequence"
  | "time"
  | "uptime"
  | "time_quality"
  | "power"
  | "import_total"
  | "export_total"
  | "counter_epoch"
  | "produced"
  | "voltage"
  | "current"
  | "reactive_power"
  | "temperature"
  | "flags"
  | "chain_index"
  | "previous"
  | "first_sequence"
  | "last_sequence"
  | "count"
  | "first_time"
  | "last_time"
  | "produced_open"
  | "produced_close"
  | "root"
  | "enrolment"
  | "firmware"
  | "log_size"
  | "log_root"
  | "operator_key"
  | "meter_key"
  | "number"
  | "custody"
  | "sensor_model"
  | "sensor_mac"
  | "channel"
  | "production_counter"
  | "ct_ratio_milli"
  | "rated_power"
  | "latitude"
  | "longitude"
  | "tilt"
  | "azimuth"
  | "grid_connection"
  | "start_import"
  | "start_export"
  | "owner"
  | "chain_id"
  | "minter";

export type Row = readonly [name: FieldName, size: number, form: Form];

/** The records that this dashboard reads, by the name that also ends their signing domain. */
export const recordTypes = ["reading", "three-phase-reading", "window", "enrolment"] as const;

export type RecordType = (typeof recordTypes)[number];

/** The first byte of each. */
export const typeBytes: Readonly<Record<RecordType, number>> = { reading: 1, "three-phase-reading": 2, window: 3, enrolment: 6 };

/** Names of a reading's flags, as the gateway's JSON has them, by bit. */
export const readingFlags = [
  "sensor_unreachable",
  "sensor_invalid",
  "wrong_sensor",
  "sensor_malformed",
  "queued",
  "recovered",
  "counter_fell",
  "increment_refused",
  "increment_pending",
  "clock_stepped",
  "sensor_clock_unset",
  "sensor_clock_differs",
] as const;

/** Names of a window's flags, as the gateway's JSON has them, by bit. */
export const windowFlags = ["recovered", "orderly_stop"] as const;

const plain: Form = { kind: "plain" };
const number: Form = { kind: "number" };
const optional: Form = { kind: "optional" };
const signedOptional: Form = { kind: "signedOptional" };
const bytes: Form = { kind: "bytes" };
const text: Form = { kind: "text" };
const choice = (from: number, to: number): Form => ({ kind: "choice", from, to });

const header = (signer: "meter" | "operator"): readonly Row[] => [
  ["type", 1, plain],
  ["version", 1, plain],
  [signer, 32, bytes],
];

const reading: readonly Row[] = [
  ...header("meter"),
  ["boot", 4, number],
  ["sequence", 8, number],
  ["time", 8, optional],
  ["uptime", 8, number],
  ["time_quality", 1, choice(0, 3)],
  ["power", 8, signedOptional],
  ["import_total", 8, optional],
  ["export_total", 8, optional],
  ["counter_epoch", 2, number],
  ["produced", 8, number],
  ["voltage", 4, optional],
  ["current", 4, optional],
  ["reactive_power", 8, signedOptional],
  ["temperature", 2, signedOptional],
  ["flags", 2, { kind: "flags", count: readingFlags.length }],
];

/** One phase; a three-phase reading ends with three of them. */
export const phase: readonly Row[] = [
  ["power", 8, signedOptional],
  ["voltage", 4, optional],
  ["current", 4, optional],
  ["import_total", 8, optional],
  ["export_total", 8, optional],
];

const window: readonly Row[] = [
  ...header("meter"),
  ["chain_index", 8, number],
  ["previous", 32, bytes],
  ["boot", 4, number],
  ["first_sequence", 8, number],
  ["last_sequence", 8, number],
  ["count", 4, plain],
  ["first_time", 8, optional],
  ["last_time", 8, optional],
  ["produced_open", 8, number],
  ["produced_close", 8, number],
  ["root", 32, bytes],
  ["enrolment", 32, bytes],
  ["firmware", 32, bytes],
  ["log_size", 8, plain],
  ["log_root", 32, bytes],
  ["flags", 2, { kind: "flags", count: windowFlags.length }],
];

const enrolment: readonly Row[] = [
  ...header("operator"),
  ["operator_key", 64, bytes],
  ["meter_key", 64, bytes],
  ["number", 4, plain],
  ["time", 8, number],
  ["custody", 1, choice(0, 1)],
  ["sensor_model", 1, choice(1, 4)],
  ["sensor_mac", 6, bytes],
  ["channel", 1, plain],
  ["production_counter", 1, choice(0, 1)],
  ["ct_ratio_milli", 4, plain],
  ["rated_power", 4, number],
  ["latitude", 4, signedOptional],
  ["longitude", 4, signedOptional],
  ["tilt", 2, optional],
  ["azimuth", 2, optional],
  ["grid_connection", 40, text],
  ["start_import", 8, optional],
  ["start_export", 8, optional],
  ["owner", 20, bytes],
  ["chain_id", 8, plain],
  ["minter", 20, bytes],
];

/** The rows of a record in their order, without the phases. */
export const layouts: Readonly<Record<RecordType, readonly Row[]>> = { reading, "three-phase-reading": reading, window, enrolment };
