// Whether a window is what its meter signed, and whether its readings are those under its root: docs/FORMAT.md sections 4, 5 and 9. Of the chain it
// looks at one link; the whole chain is for `wattwitness verify`.

import { bytesOf, hexOf, type Bytes } from "./hex.ts";
import { rootOf } from "./merkle.ts";
import type { Engine } from "./crypto-engine.ts";
import { decode, digitsIn, numberIn, valueOf, type SignedRecord } from "./record-fields.ts";
import { windowFlags } from "./record-layout.ts";
import {
  check,
  differencesOf,
  digestOf,
  flagNames,
  formCheck,
  fromMilli,
  keyCheck,
  signatureCheck,
  toSeconds,
  verdictOf,
  type Check,
  type Difference,
  type Verdict,
  type Why,
} from "./verify-checks.ts";
import { acceptedEnrolments, enrolmentsFor, plantCheckUnder, plantFigures } from "./verify-enrolment.ts";
import { readingId, readingTypes, type MeterKey } from "./verify-reading.ts";
import { isObject, isText, listOf, misshapen, orNull } from "./verify-shape.ts";

/** What an answer shows of a window beside its bytes. */
interface ShownWindow {
  readonly id: number;
  readonly installation_id: number;
  readonly digest: string;
  readonly boot: number;
  readonly chain_index: number;
  readonly previous_digest: string | null;
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly count: number;
  readonly first_timestamp: number | null;
  readonly last_timestamp: number | null;
  readonly energy_wh: number;
  readonly produced_close_wh: number;
  readonly root: string;
  readonly enrolment_digest: string | null;
  readonly firmware_digest: string;
  readonly flags: readonly string[];
}

interface WindowReadingClaim {
  readonly id: number;
  readonly sequence: number;
  readonly timestamp: number | null;
  readonly power_w: number | null;
  readonly record: string;
}

/** The record before: its bytes when it is a window that is held. */
export type PreviousClaim = { readonly record: string } | "not-window" | "not-held" | "not-served";

export interface WindowClaim {
  readonly record: string;
  readonly signature: string;
  /** Null in a copy whose figures are read from its own bytes. */
  readonly shown: ShownWindow | null;
  readonly readings: readonly WindowReadingClaim[];
  readonly previous: PreviousClaim;
  readonly asked: { readonly installation: number; readonly window: number };
}

/** The verdict, and the root over the readings that were served. */
export interface WindowVerdict extends Verdict {
  readonly rebuilt: string | null;
}

const shapes = {
  record: isText,
  signature: isText,
  readings: listOf((reading) => isObject(reading) && isText(reading["record"])),
};
const shownShapes = { flags: listOf(isText), previous_digest: orNull(isText) };

function misshapenIn(claim: WindowClaim, { publicKey }: MeterKey): string | null {
  return misshapen(claim, shapes) ?? (claim.shown === null ? null : misshapen(claim.shown, shownShapes)) ?? (isText(publicKey) ? null : "public_key");
}

/** An answer of another shape than a window's is refuted like any other forgery: it must not end as a verdict that could not be computed. */
export async function verifyWindow(engine: Engine, claim: WindowClaim, meter: MeterKey): Promise<WindowVerdict> {
  try {
    const field = misshapenIn(claim, meter);
    if (field !== null) return { ...verdictOf(engine, [check("windowBytes", "fails", { why: "field", detail: field })]), rebuilt: null };
    return await verdictOn(engine, claim, meter);
  } catch {
    return { ...verdictOf(engine, [check("windowBytes", "fails", { why: "shape" })]), rebuilt: null };
  }
}

async function verdictOn(engine: Engine, claim: WindowClaim, meter: MeterKey): Promise<WindowVerdict> {
  const bytes = claim.record.toLowerCase();
  const { record: window, refusal } = decode(bytes, ["window"]);
  const readings = claim.readings.map(({ record }) => decode(record, readingTypes).record);
  const rebuilt = claim.readings.length === 0 ? null : await rebuiltRoot(engine, claim.readings);
  const checks = [
    formCheck("windowBytes", refusal, bytes),
    await keyCheck(engine, meter.publicKey, window ? digitsIn(window, "meter") : null, meter.meterId),
    await signatureCheck(engine, "windowSignature", meter.publicKey, "window", bytes, claim.signature),
    readingsCheck(window, readings),
    rebuiltCheck(window, rebuilt, claim.readings.length),
    await previousCheck(engine, window, claim.previous),
    await plantCheck(engine, claim, window, readings, meter),
    await shownCheck(engine, claim, window, readings),
  ];
  return { ...verdictOf(engine, checks), rebuilt };
}

async function rebuiltRoot(engine: Engine, readings: readonly WindowReadingClaim[]): Promise<string | null> {
  const entries = readings.map(({ record }) => bytesOf(record)).filter((entry): entry is Bytes => entry !== null);
  return entries.length === readings.length ? hexOf(await rootOf(engine, entries)) : null;
}

/** Section 9, "A stretch of a meter's history", step 4, up to the root. */
function readingsCheck(window: SignedRecord | null, readings: readonly (SignedRecord | null)[]): Check {
  if (readings.length === 0) return check("readings", "unknown", { why: "not-held", isNeeded: false });
  if (!window) return check("readings", "unknown", { why: "unreadable" });
  const read = readings.filter((reading) => reading !== null);
  const why = read.length < readings.length ? "unreadable" : strangerAmong(window, read);
  return check("readings", why === null ? "holds" : "fails", { why, expected: String(numberIn(window, "count")), found: String(readings.length) });
}

function strangerAmong(window: SignedRecord, readings: readonly SignedRecord[]): Why | null {
  const first = numberIn(window, "first_sequence");
  if (BigInt(readings.length) !== numberIn(window, "count")) return "other-place";
  let produced = numberIn(window, "produced_open");
  for (const [place, reading] of readings.entries()) {
    if (digitsIn(reading, "meter") !== digitsIn(window, "meter")) return "other-meter";
    if (numberIn(reading, "boot") !== numberIn(window, "boot")) return "other-boot";
    if (numberIn(reading, "sequence") !== first + BigInt(place)) return "other-place";
    if (numberIn(reading, "produced") < produced) return "other-energy";
    produced = numberIn(reading, "produced");
  }
  if (produced !== numberIn(window, "produced_close")) return "other-energy";
  const [opening, closing] = [readings[0], readings.at(-1)];
  const isInTime = opening && closing && valueOf(opening, "time") === valueOf(window, "first_time") && valueOf(closing, "time") === valueOf(window, "last_time");
  return isInTime ? null : "other-time";
}

function rebuiltCheck(window: SignedRecord | null, rebuilt: string | null, count: number): Check {
  if (count === 0) return check("rebuilt", "unknown", { why: "not-held", isNeeded: false });
  if (!window) return check("rebuilt", "unknown", { why: "unreadable" });
  const root = digitsIn(window, "root");
  return check("rebuilt", rebuilt === root ? "holds" : "fails", { why: rebuilt === root ? null : "differs", expected: root, found: rebuilt });
}

async function previousCheck(engine: Engine, window: SignedRecord | null, previous: PreviousClaim): Promise<Check> {
  const isNeeded = false;
  if (!window) return check("previous", "unknown", { why: "unreadable", isNeeded });
  const expected = digitsIn(window, "previous");
  if (numberIn(window, "chain_index") === 0n) return check("previous", "holds", { why: "first", isNeeded });
  if (typeof previous === "string") return check("previous", "unknown", { why: previous, expected, isNeeded });
  const found = await digestOf(engine, previous.record);
  const { record: before } = decode(previous.record, ["window"]);
  const goesOn = before !== null && numberIn(before, "produced_close") === numberIn(window, "produced_open");
  const why = found !== expected ? "differs" : goesOn ? null : "other-energy";
  return check("previous", why === null ? "holds" : "fails", { why, expected, found, isNeeded });
}

async function plantCheck(engine: Engine, claim: WindowClaim, window: SignedRecord | null, readings: readonly (SignedRecord | null)[], meter: MeterKey): Promise<Check> {
  if (claim.readings.length === 0) return check("plant", "unknown", { why: "not-held", isNeeded: false });
  if (claim.shown === null) return check("plant", "holds", { why: "copy" });
  if (!window) return check("plant", "unknown", { why: "unreadable" });
  if (meter.enrolments === null) return check("plant", "unknown", { why: "not-served" });
  const accepted = await acceptedEnrolments(engine, meter.enrolments, meter.publicKey);
  return plantCheckUnder(enrolmentsFor(window, accepted), (enrolment) =>
    readings.flatMap((reading, place) => {
      const signed = reading ? plantFigures(enrolment, reading).power_w : null;
      return differencesOf([[`power_w ${String(claim.readings[place]?.sequence ?? "")}`, claim.readings[place]?.power_w ?? null, signed]]);
    }),
  );
}

async function shownCheck(engine: Engine, claim: WindowClaim, window: SignedRecord | null, readings: readonly (SignedRecord | null)[]): Promise<Check> {
  const { shown, asked } = claim;
  if (shown === null) return check("shown", "holds", { why: "copy" });
  if (!window) return check("shown", "unknown", { why: "unreadable" });
  const number = (name: Parameters<typeof numberIn>[1]) => Number(numberIn(window, name));
  const differences = [
    ...differencesOf([
      ["installation_id", shown.installation_id, asked.installation],
      ["id", shown.id, asked.window],
      ["chain_index", shown.chain_index, number("chain_index")],
      ["id", asked.window, number("chain_index")],
      ["digest", shown.digest, await digestOf(engine, claim.record)],
      ["previous_digest", orNone(shown.previous_digest ?? ""), orNone(digitsIn(window, "previous"))],
      ["boot", shown.boot, number("boot")],
      ["first_sequence", shown.first_sequence, number("first_sequence")],
      ["last_sequence", shown.last_sequence, number("last_sequence")],
      ["count", shown.count, number("count")],
      ["first_timestamp", shown.first_timestamp, toSeconds(valueOf(window, "first_time"))],
      ["last_timestamp", shown.last_timestamp, toSeconds(valueOf(window, "last_time"))],
      ["energy_wh", shown.energy_wh, fromMilli(numberIn(window, "produced_close") - numberIn(window, "produced_open"))],
      ["produced_close_wh", shown.produced_close_wh, fromMilli(valueOf(window, "produced_close"))],
      ["root", shown.root, digitsIn(window, "root")],
      ["enrolment_digest", shown.enrolment_digest, orNone(digitsIn(window, "enrolment"))],
      ["firmware_digest", shown.firmware_digest, digitsIn(window, "firmware")],
      ["flags", shown.flags.join(" "), flagNames(valueOf(window, "flags"), windowFlags)],
    ]),
    ...readings.flatMap((reading, place) => listedDifferences(asked.installation, claim.readings[place], reading)),
  ];
  return check("shown", differences.length === 0 ? "holds" : "fails", { why: differences.length === 0 ? null : "differs", differences });
}

/** What the list shows of a reading beside its bytes, its power aside. */
function listedDifferences(installation: number, listed: WindowReadingClaim | undefined, reading: SignedRecord | null): Difference[] {
  if (!listed || !reading) return [];
  const sequence = numberIn(reading, "sequence");
  return differencesOf([
    [`id ${String(sequence)}`, listed.id, readingId(installation, sequence)],
    [`sequence ${String(sequence)}`, listed.sequence, Number(sequence)],
    [`timestamp ${String(sequence)}`, listed.timestamp, toSeconds(valueOf(reading, "time"))],
  ]);
}

function orNone(digits: string): string | null {
  return /^0*$/.test(digits) ? null : digits;
}
