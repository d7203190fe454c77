// A verdict is a list of named checks, each with what it was held against. It is computed from bytes and a key; nobody's word goes into it.

import { signatureStructure, type Meaning } from "./cose.ts";
import { bytesOf, hexOf } from "./hex.ts";
import type { Engine } from "./crypto-engine.ts";
import { signatureFault } from "./p256.ts";
import type { Refusal } from "./record-fields.ts";

export type CheckName =
  | "bytes"
  | "key"
  | "signature"
  | "windowBytes"
  | "windowSignature"
  | "inWindow"
  | "path"
  | "root"
  | "plant"
  | "shown"
  | "readings"
  | "rebuilt"
  | "previous";

/** Why a check failed or could not be made. */
export type Why =
  | Refusal["reason"]
  | "shape"
  | "field"
  | "digits"
  | "length"
  | "out-of-range"
  | "high-s"
  | "wrong-signature"
  | "wrong-key"
  | "no-signature"
  | "not-served"
  | "unreadable"
  | "differs"
  | "path-length"
  | "other-meter"
  | "other-boot"
  | "other-place"
  | "other-energy"
  | "other-time"
  | "no-enrolment"
  | "several-enrolments"
  | "not-sealed"
  | "not-held"
  | "not-window"
  | "first"
  | "copy";

/** A value that was shown and what the signed bytes say instead. */
export interface Difference {
  readonly value: string;
  readonly shown: string | null;
  readonly signed: string | null;
}

export interface Check {
  readonly name: CheckName;
  readonly outcome: "holds" | "fails" | "unknown";
  /** Whether a verdict that proves needs it; the others can refute only. */
  readonly isNeeded: boolean;
  readonly why: Why | null;
  /** More of the why, such as the field that is refused. */
  readonly detail: string | null;
  /** What it had to be, and what it was. */
  readonly expected: string | null;
  readonly found: string | null;
  readonly differences: readonly Difference[];
}

export interface Verdict {
  readonly overall: "proven" | "unproven" | "false";
  readonly checks: readonly Check[];
  readonly engine: Engine["name"];
}

interface Details {
  why?: Why | null;
  detail?: string | null;
  expected?: string | null;
  found?: string | null;
  differences?: readonly Difference[];
  isNeeded?: boolean;
}

export function check(name: CheckName, outcome: Check["outcome"], details: Details = {}): Check {
  return { name, outcome, isNeeded: true, why: null, detail: null, expected: null, found: null, differences: [], ...details };
}

/** One check that fails refutes; one that is needed and could not be made leaves it open. */
export function verdictOf(engine: Engine, checks: readonly Check[]): Verdict {
  const isOpen = checks.some(({ outcome, isNeeded }) => outcome === "unknown" && isNeeded);
  const overall = checks.some(({ outcome }) => outcome === "fails") ? "false" : isOpen ? "unproven" : "proven";
  return { overall, checks, engine: engine.name };
}

/** Whether bytes have the one form of their type. */
export function formCheck(name: CheckName, refusal: Refusal | null, record: string): Check {
  if (refusal) return check(name, "fails", { why: refusal.reason, detail: refusal.detail });
  return check(name, "holds", { expected: String(record.length / 2) });
}

/** Whether the public key is the one whose hash names the meter: in the record, and as the gateway lists it. */
export async function keyCheck(engine: Engine, publicKey: string, signer: string | null, meterId: string): Promise<Check> {
  const key = bytesOf(publicKey);
  if (key?.length !== 64) {
    return check("key", "fails", { why: key ? "length" : "digits", detail: sizeOf(publicKey), expected: signer ?? meterId, found: publicKey });
  }
  const id = hexOf(await engine.sha256(key));
  const holds = id === meterId && (signer === null || id === signer);
  return check("key", holds ? "holds" : "fails", { why: holds ? null : "wrong-key", expected: signer === null || signer === id ? meterId : signer, found: id });
}

/** Whether a signature over a payload verifies in its domain. */
export async function signatureCheck(engine: Engine, name: CheckName, publicKey: string, meaning: Meaning, payload: string, signature: string): Promise<Check> {
  const why = signatureFault(signature) ?? ((await verifies(engine, publicKey, meaning, payload, signature)) ? null : "wrong-signature");
  return check(name, why === null ? "holds" : "fails", { why, detail: sizeOf(signature), expected: `wattwitness/v1/${meaning}`, found: signature });
}

/** How many bytes these digits are. */
function sizeOf(hex: string): string {
  return String(hex.length / 2);
}

/** Whether this is a signature of the key over the payload in the domain of its meaning, low s included. */
export async function verifies(engine: Engine, publicKey: string, meaning: Meaning, payload: string, signature: string): Promise<boolean> {
  const [key, message, sealed] = [bytesOf(publicKey), bytesOf(payload), bytesOf(signature)];
  if (key?.length !== 64 || !message || !sealed || signatureFault(signature) !== null) return false;
  return engine.verifies(key, signatureStructure(meaning, message), sealed);
}

/** SHA-256 over digits' bytes, as digits; null when they are no digits. */
export async function digestOf(engine: Engine, hex: string): Promise<string | null> {
  const bytes = bytesOf(hex);
  return bytes ? hexOf(await engine.sha256(bytes)) : null;
}

/** The values that differ between what was shown and what was signed. */
export function differencesOf(pairs: readonly (readonly [value: string, shown: unknown, signed: unknown])[]): Difference[] {
  return pairs.flatMap(([value, shown, signed]) => (shown === signed ? [] : [{ value, shown: textOf(shown), signed: textOf(signed) }]));
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** The number that JSON has for an integer in thousandths, by way of its exact decimal. */
export function fromMilli(value: bigint | null): number | null {
  if (value === null) return null;
  const size = value < 0n ? -value : value;
  return Number(`${value < 0n ? "-" : ""}${String(size / 1000n)}.${String(size % 1000n).padStart(3, "0")}`);
}

/** Whole seconds of a time in milliseconds. */
export function toSeconds(value: bigint | null): number | null {
  return value === null ? null : Number(value / 1000n);
}

/** The names of the bits that are set. */
export function flagNames(bits: bigint | null, names: readonly string[]): string {
  return names.filter((_, bit) => (((bits ?? 0n) >> BigInt(bit)) & 1n) === 1n).join(" ");
}
