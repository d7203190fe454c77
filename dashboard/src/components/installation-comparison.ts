// Compares the fingerprint that a person reads off a meter with the one that the gateway was told, group by group. It draws nothing.

import { groups } from "../util/format.ts";

/** Digits of a fingerprint, in groups of so many: as `wattwitness` and the meter's log show it. */
const fingerprintDigits = 16;
const groupDigits = 4;

interface ComparedGroup {
  expected: string;
  /** Empty where nothing is typed yet. */
  typed: string;
  verdict: "same" | "differs" | "missing";
}

export interface Comparison {
  groups: readonly ComparedGroup[];
  /** Whether every digit of the fingerprint was typed, and is the same. */
  isSame: boolean;
  /** Whether anything that was typed is not what the gateway was told. */
  differs: boolean;
}

/** A meter's fingerprint: the first digits of its id, in groups. */
export function fingerprintGroups(meterId: string): string[] {
  return groups(meterId.slice(0, fingerprintDigits).toLowerCase(), groupDigits);
}

/** `typed` may be the fingerprint or the whole id, with or without anything between its groups. */
export function compareFingerprint(typed: string, meterId: string): Comparison {
  const digits = typed.toLowerCase().replaceAll(/[\s:.\-\u2013]/g, "");
  const expected = meterId.toLowerCase();
  const isLonger = digits.length > fingerprintDigits;
  const compared = fingerprintGroups(meterId).map((group, place): ComparedGroup => {
    const part = digits.slice(place * groupDigits, (place + 1) * groupDigits);
    if (part === group) return { expected: group, typed: part, verdict: "same" };
    return { expected: group, typed: part, verdict: group.startsWith(part) ? "missing" : "differs" };
  });
  const restDiffers = isLonger && !expected.startsWith(digits);
  return {
    groups: compared,
    isSame: compared.every(({ verdict }) => verdict === "same") && (!isLonger || digits === expected),
    differs: restDiffers || compared.some(({ verdict }) => verdict === "differs"),
  };
}
