// The tree of RFC 9162 for the mock's windows: root and inclusion path, nothing more.

import { createHash } from "node:crypto";

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function leafHash(bytes: Uint8Array): Buffer {
  return sha256(Buffer.from([0]), bytes);
}

/** The largest power of two below `count`. */
function split(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

/** The root over at least one leaf hash. */
export function rootHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const at = split(leaves.length);
  return sha256(Buffer.from([1]), rootHash(leaves.slice(0, at)), rootHash(leaves.slice(at)));
}

/** The path of leaf `index`, from the leaf upward. */
export function inclusionPath(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const at = split(leaves.length);
  return index < at
    ? [...inclusionPath(index, leaves.slice(0, at)), rootHash(leaves.slice(at))]
    : [...inclusionPath(index - at, leaves.slice(at)), rootHash(leaves.slice(0, at))];
}
