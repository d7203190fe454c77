// Whether a reading is what its meter signed: docs/FORMAT.md section 9, "A live reading" and "A sealed reading", and whether what is shown of it is
// what the bytes say. That the key is the meter's, and that its history is complete, it cannot say.

import type { SignedItem } from "./cose.ts";
import { bytesOf, hexOf, type Bytes } from "./hex.ts";
import { leafHash, nodesOnPath } from "./merkle.ts";
import type { Engine } from "./crypto-engine.ts";
import { decode, digitsIn, numberIn, valueOf, type SignedRecord } from "./record-fields.ts";
import { readingFlags } from "./record-layout.ts";
import {
  check,
  differencesOf,
  flagNames,
  formCheck,
  fromMilli,
  keyCheck,
  signatureCheck,
  toSeconds,
  verdictOf,
  type Check,
  type Verdict,
  type Why,
} from "./verify-checks.ts";
import { acceptedEnrolments, enrolmentsFor, figuresUnder, plantCheckUnder, plantFigures, type AcceptedEnrolment, type PlantFigures } from "./verify-enrolment.ts";
import { isObject, isPlace, isText, listOf, misshapen, orNull } from "./verify-shape.ts";

export const readingTypes = ["reading", "three-phase-reading"] as const;

/** Where a sealed reading lies in its window. */
export interface ProofClaim {
  readonly leaf_index: number;
  readonly leaf_count: number | null;
  readonly path: readonly string[] | null;
  readonly root: string | null;
  readonly window_record: string | null;
  readonly window_signature: string | null;
}

/** What an answer shows of a reading beside its bytes. */
interface ShownReading extends PlantFigures {
  readonly id: number;
  readonly installation_id: number;
  readonly timestamp: number | null;
  readonly sequence: number;
  readonly produced_wh: number | null;
  readonly meter_id: string | null;
  readonly flags: readonly string[];
  readonly window_id: number | null;
}

export interface ReadingClaim {
  readonly record: string | null;
  readonly signature: string | null;
  readonly proof: ProofClaim | null;
  /** Null in a copy whose figures are read from its own bytes. */
  readonly shown: ShownReading | null;
  /** The reading that was asked for. */
  readonly asked: { readonly installation: number; readonly reading: number };
}

/** What it is held against. */
export interface MeterKey {
  readonly meterId: string;
  readonly publicKey: string;
  /** All enrolments and acceptances that were served; null when they were not. */
  readonly enrolments: readonly SignedItem[] | null;
}

/** The verdict, and the hashes from the leaf up to the root where there is a path. */
export interface ReadingVerdict extends Verdict {
  readonly nodes: readonly string[] | null;
  /** What the bytes say of the plant, where every enrolment that they may have been signed under says the same. */
  readonly plant: PlantFigures | null;
}

const shapes = { record: orNull(isText), signature: orNull(isText) };
const shownShapes = { flags: listOf(isText) };
const proofShapes = {
  leaf_index: isPlace,
  leaf_count: orNull(isPlace),
  path: orNull(listOf(isText)),
  root: orNull(isText),
  window_record: orNull(isText),
  window_signature: orNull(isText),
};

/** The field of another type than its own. One that is no proof at all is left to the check of it: then nothing is refuted, and nothing proven. */
function misshapenIn(claim: ReadingClaim, { publicKey }: MeterKey): string | null {
  const inProof = isObject(claim.proof) ? misshapen(claim.proof, proofShapes) : null;
  return (
    misshapen(claim, shapes) ??
    (claim.shown === null ? null : misshapen(claim.shown, shownShapes)) ??
    (inProof === null ? null : `proof.${inProof}`) ??
    (isText(publicKey) ? null : "public_key")
  );
}

/** An answer of another shape than a reading's is refuted like any other forgery: it must not end as a verdict that could not be computed. */
export async function verifyReading(engine: Engine, claim: ReadingClaim, meter: MeterKey): Promise<ReadingVerdict> {
  try {
    const field = misshapenIn(claim, meter);
    if (field !== null) return { ...verdictOf(engine, [check("bytes", "fails", { why: "field", detail: field })]), nodes: null, plant: null };
    return await verdictOn(engine, claim, meter);
  } catch {
    return { ...verdictOf(engine, [check("bytes", "fails", { why: "shape" })]), nodes: null, plant: null };
  }
}

async function verdictOn(engine: Engine, claim: ReadingClaim, meter: MeterKey): Promise<ReadingVerdict> {
  if (claim.record === null) {
    return { ...verdictOf(engine, [check("bytes", "unknown", { why: "not-served" })]), nodes: null, plant: null };
  }
  const bytes = claim.record.toLowerCase();
  const { record, refusal } = decode(bytes, readingTypes);
  const checks: Check[] = [
    formCheck("bytes", refusal, bytes),
    await keyCheck(engine, meter.publicKey, record ? digitsIn(record, "meter") : null, meter.meterId),
  ];
  if (claim.signature !== null) {
    const meaning = bytes.startsWith("02") ? "three-phase-reading" : "reading";
    checks.push(await signatureCheck(engine, "signature", meter.publicKey, meaning, bytes, claim.signature));
  }
  // A proof that is anything but null is checked: were one of another shape passed over, nothing at all would have to be signed.
  const sealed = claim.proof === null ? null : await sealedChecks(engine, claim.proof, bytes, record, meter);
  checks.push(...(sealed?.checks ?? []));
  if (claim.signature === null && claim.proof === null) checks.push(check("signature", "unknown", { why: "no-signature" }));

  const window = sealed?.window ?? null;
  const accepted = meter.enrolments ? await acceptedEnrolments(engine, meter.enrolments, meter.publicKey) : null;
  const enrolments = accepted ? enrolmentsFor(window, accepted) : null;
  checks.push(plantCheck(claim, record, enrolments), shownCheck(claim, record, window));
  const plant = record && enrolments ? figuresUnder(enrolments, record) : null;
  return { ...verdictOf(engine, checks), nodes: sealed?.nodes ?? null, plant };
}

async function sealedChecks(engine: Engine, proof: ProofClaim, bytes: string, record: SignedRecord | null, meter: MeterKey) {
  if (!isObject(proof)) return { checks: [check("path", "unknown", { why: "field", detail: "proof" })], window: null, nodes: null };
  const { leaf_index, leaf_count, path, root, window_record, window_signature } = proof;
  if (leaf_count === null || path === null || window_record === null || window_signature === null) {
    return { checks: [check("path", "unknown", { why: "not-served" })], window: null, nodes: null };
  }
  const { record: window, refusal } = decode(window_record, ["window"]);
  const nodes = await nodesOf(engine, bytes, leaf_index, leaf_count, path);
  const top = nodes?.at(-1) ?? null;
  const signed = window ? digitsIn(window, "root") : null;
  const isUnder = top !== null && top === root;
  const checks = [
    check("path", isUnder ? "holds" : "fails", { why: nodes ? (isUnder ? null : "differs") : "path-length", expected: root, found: top }),
    signed === null
      ? check("root", "unknown", { why: "unreadable" })
      : check("root", signed === root ? "holds" : "fails", { why: signed === root ? null : "differs", expected: signed, found: root }),
    inWindowCheck(record, window, leaf_index, leaf_count, meter.meterId),
    formCheck("windowBytes", refusal, window_record),
    await signatureCheck(engine, "windowSignature", meter.publicKey, "window", window_record, window_signature),
  ];
  return { checks, window, nodes };
}

/** The hashes from the leaf up to the root; null when the path does not fit the tree. */
async function nodesOf(engine: Engine, bytes: string, index: number, count: number, path: readonly string[]): Promise<string[] | null> {
  const entry = bytesOf(bytes);
  const hashes = path.map(bytesOf).filter((hash): hash is Bytes => hash !== null);
  if (!entry || hashes.length !== path.length) return null;
  const nodes = await nodesOnPath(engine, await leafHash(engine, entry), index, count, hashes);
  return nodes?.map(hexOf) ?? null;
}

function inWindowCheck(record: SignedRecord | null, window: SignedRecord | null, index: number, count: number, meterId: string): Check {
  if (!record || !window) return check("inWindow", "unknown", { why: "unreadable" });
  const why = strangerTo(record, window, index, count, meterId);
  const place = `${String(numberIn(window, "first_sequence"))}–${String(numberIn(window, "last_sequence"))}`;
  return check("inWindow", why === null ? "holds" : "fails", { why, expected: place, found: String(numberIn(record, "sequence")) });
}

/** By what a reading does not belong in a window; null when it does. */
function strangerTo(record: SignedRecord, window: SignedRecord, index: number, count: number, meterId: string): Why | null {
  const [sequence, first, last] = [numberIn(record, "sequence"), numberIn(window, "first_sequence"), numberIn(window, "last_sequence")];
  const [produced, open, close] = [numberIn(record, "produced"), numberIn(window, "produced_open"), numberIn(window, "produced_close")];
  const time = valueOf(record, "time");
  if (digitsIn(window, "meter") !== meterId || digitsIn(record, "meter") !== meterId) return "other-meter";
  if (numberIn(record, "boot") !== numberIn(window, "boot")) return "other-boot";
  if (sequence < first || sequence > last || BigInt(index) !== sequence - first || BigInt(count) !== numberIn(window, "count")) return "other-place";
  if (produced < open || produced > close || (sequence === last && produced !== close)) return "other-energy";
  if ((sequence === first && time !== valueOf(window, "first_time")) || (sequence === last && time !== valueOf(window, "last_time"))) return "other-time";
  return null;
}

function plantCheck({ shown, proof }: ReadingClaim, record: SignedRecord | null, enrolments: readonly AcceptedEnrolment[] | null): Check {
  if (shown === null) return check("plant", "holds", { why: "copy" });
  if (record === null) return check("plant", "unknown", { why: "unreadable" });
  if (enrolments === null) return check("plant", "unknown", { why: "not-served" });
  if (shown.power_w === null && shown.total_wh === null && valueOf(record, "power") === null) return check("plant", "holds");
  // A live reading's window is still to come, and will name the one that counts.
  const whyOpen = proof === null ? "not-sealed" : "several-enrolments";
  return plantCheckUnder(enrolments, (enrolment) => plantDifferences(shown, plantFigures(enrolment, record)), whyOpen);
}

function plantDifferences(shown: PlantFigures, signed: PlantFigures) {
  return differencesOf([
    ["power_w", shown.power_w, signed.power_w],
    ["total_wh", shown.total_wh, signed.total_wh],
  ]);
}

function shownCheck({ shown, asked }: ReadingClaim, record: SignedRecord | null, window: SignedRecord | null): Check {
  if (shown === null) return check("shown", "holds", { why: "copy" });
  if (record === null) return check("shown", "unknown", { why: "unreadable" });
  const differences = differencesOf([
    ["installation_id", shown.installation_id, asked.installation],
    ["id", shown.id, asked.reading],
    ["id", asked.reading, readingId(asked.installation, numberIn(record, "sequence"))],
    ["sequence", shown.sequence, Number(numberIn(record, "sequence"))],
    ["meter_id", shown.meter_id, digitsIn(record, "meter")],
    ["timestamp", shown.timestamp, toSeconds(valueOf(record, "time"))],
    ["produced_wh", shown.produced_wh, fromMilli(valueOf(record, "produced"))],
    ["flags", shown.flags.join(" "), flagNames(valueOf(record, "flags"), readingFlags)],
    ["window_id", shown.window_id, window ? Number(numberIn(window, "chain_index")) : null],
  ]);
  return check("shown", differences.length === 0 ? "holds" : "fails", { why: differences.length === 0 ? null : "differs", differences });
}

/** How many readings of one installation a gateway can list. */
const readingsListed = 2 ** 29;

/** The number under which a gateway lists a reading: installation · 2²⁹ + sequence. */
export function readingId(installation: number, sequence: bigint): number {
  return installation * readingsListed + Number(sequence & BigInt(readingsListed - 1));
}

/** The reading that an address names, by the number under which it is listed or, as the gateway takes it too, by its plain sequence number. */
export function namedReading(installation: number, number: number): number {
  return number >= 0 && number < readingsListed ? installation * readingsListed + number : number;
}
