// The signed bytes of a reading, cut into their fields. It reads bytes and checks no signature.
//
//   0    1    2      34    38        46   54      62  63     71      79      87     89        97       101      105       113   115   117
//   type ver  meter  boot  sequence  utc  uptime  tq  power  import  export  epoch  produced  voltage  current  reactive  temp  flags
//
// A three-phase reading goes on with three times: power 8, voltage 4, current 4, import 8, export 8.

type Kind = "hex" | "unsigned" | "signed";

/** `mayBeAbsent`: the field's reserved value (all ones, or the minimum of a signed field) says that there was nothing to record. */
type Layout = readonly (readonly [name: FieldName, size: number, kind: Kind, mayBeAbsent?: "mayBeAbsent"])[];

type FieldName =
  | "type"
  | "version"
  | "meter"
  | "boot"
  | "sequence"
  | "utc"
  | "uptime"
  | "timeQuality"
  | "power"
  | "importTotal"
  | "exportTotal"
  | "counterEpoch"
  | "produced"
  | "voltage"
  | "current"
  | "reactivePower"
  | "temperature"
  | "flags";

const reading: Layout = [
  ["type", 1, "unsigned"],
  ["version", 1, "unsigned"],
  ["meter", 32, "hex"],
  ["boot", 4, "unsigned"],
  ["sequence", 8, "unsigned"],
  ["utc", 8, "unsigned", "mayBeAbsent"],
  ["uptime", 8, "unsigned"],
  ["timeQuality", 1, "unsigned"],
  ["power", 8, "signed", "mayBeAbsent"],
  ["importTotal", 8, "unsigned", "mayBeAbsent"],
  ["exportTotal", 8, "unsigned", "mayBeAbsent"],
  ["counterEpoch", 2, "unsigned"],
  ["produced", 8, "unsigned"],
  ["voltage", 4, "unsigned", "mayBeAbsent"],
  ["current", 4, "unsigned", "mayBeAbsent"],
  ["reactivePower", 8, "signed", "mayBeAbsent"],
  ["temperature", 2, "signed", "mayBeAbsent"],
  ["flags", 2, "unsigned"],
];

const phase: Layout = [
  ["power", 8, "signed", "mayBeAbsent"],
  ["voltage", 4, "unsigned", "mayBeAbsent"],
  ["current", 4, "unsigned", "mayBeAbsent"],
  ["importTotal", 8, "unsigned", "mayBeAbsent"],
  ["exportTotal", 8, "unsigned", "mayBeAbsent"],
];

/** One field of a record: where it is, its bytes, and its integer in the record's own unit (null when absent or not a number). */
export interface Field {
  name: FieldName;
  phase: "A" | "B" | "C" | null;
  offset: number;
  hex: string;
  value: bigint | null;
}

/** Cuts a version 1 reading, single-phase or three-phase, into its fields; null when the bytes are anything else. */
export function readingFields(record: string): Field[] | null {
  const hex = record.toLowerCase();
  const threePhase = hex.startsWith("0201");
  if (!threePhase && !hex.startsWith("0101")) return null;
  const parts: [Layout, Field["phase"]][] = [[reading, null]];
  if (threePhase) parts.push([phase, "A"], [phase, "B"], [phase, "C"]);

  const fields: Field[] = [];
  let offset = 0;
  for (const [layout, which] of parts) {
    for (const [name, size, kind, mayBeAbsent] of layout) {
      const bytes = hex.slice(offset * 2, (offset + size) * 2);
      if (bytes.length < size * 2 || /[^0-9a-f]/.test(bytes)) return null;
      const value = kind === "hex" ? null : integer(bytes, size * 8, kind, mayBeAbsent !== undefined);
      fields.push({ name, phase: which, offset, hex: bytes, value });
      offset += size;
    }
  }
  return hex.length === offset * 2 ? fields : null;
}

function integer(bytes: string, bits: number, kind: "unsigned" | "signed", mayBeAbsent: boolean): bigint | null {
  const value = BigInt(`0x${bytes}`);
  const reserved = kind === "signed" ? 1n << BigInt(bits - 1) : (1n << BigInt(bits)) - 1n;
  if (mayBeAbsent && value === reserved) return null;
  return kind === "signed" ? BigInt.asIntN(bits, value) : value;
}
