// The tree of RFC 9162, section 2.1, over a window's readings: roots, and a leaf's way up to one. It does not know what the entries are.

import { joinedBytes, type Bytes } from "./hex.ts";
import type { Engine } from "./crypto-engine.ts";

/** One step up from a leaf: the leaves below the node that one comes from, those below its sibling, and on which side that stands. */
export interface Step {
  readonly own: Span;
  readonly sibling: Span;
  readonly side: "left" | "right";
}

/** Leaves from `start` up to and without `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function leafHash(engine: Engine, entry: Bytes): Promise<Bytes> {
  return engine.sha256(joinedBytes(Uint8Array.of(0), entry));
}

function nodeHash(engine: Engine, left: Bytes, right: Bytes): Promise<Bytes> {
  return engine.sha256(joinedBytes(Uint8Array.of(1), left, right));
}

/** The root over these entries. */
export async function rootOf(engine: Engine, entries: readonly Bytes[]): Promise<Bytes> {
  if (entries.length === 0) return engine.sha256(new Uint8Array());
  return rootOfLeaves(engine, await Promise.all(entries.map((entry) => leafHash(engine, entry))));
}

async function rootOfLeaves(engine: Engine, leaves: readonly Bytes[]): Promise<Bytes> {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const split = splitOf(leaves.length);
  const [left, right] = await Promise.all([rootOfLeaves(engine, leaves.slice(0, split)), rootOfLeaves(engine, leaves.slice(split))]);
  return nodeHash(engine, left, right);
}

/** The way from a leaf up to the root of a tree of `count`; null when there is no such leaf. */
export function stepsOf(index: number, count: number): Step[] | null {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count) || index < 0 || index >= count) return null;
  const steps: Step[] = [];
  let tree: Span = { start: 0, end: count };
  while (tree.end - tree.start > 1) {
    const middle = tree.start + splitOf(tree.end - tree.start);
    const left = { start: tree.start, end: middle };
    const right = { start: middle, end: tree.end };
    const isLeft = index < middle;
    steps.unshift(isLeft ? { own: left, sibling: right, side: "right" } : { own: right, sibling: left, side: "left" });
    tree = isLeft ? left : right;
  }
  return steps;
}

/** The nodes from the leaf's hash up to the root that a path leads to; null when the path has a hash too many or too few. */
export async function nodesOnPath(engine: Engine, leaf: Bytes, index: number, count: number, path: readonly Bytes[]): Promise<Bytes[] | null> {
  const steps = stepsOf(index, count);
  if (steps === null || steps.length !== path.length || path.some(({ length }) => length !== 32)) return null;
  const nodes = [leaf];
  for (const [place, { side }] of steps.entries()) {
    const sibling = path[place] ?? new Uint8Array();
    const own = nodes.at(-1) ?? leaf;
    // Each node is hashed from the one below it.
    // oxlint-disable-next-line no-await-in-loop
    nodes.push(await (side === "left" ? nodeHash(engine, sibling, own) : nodeHash(engine, own, sibling)));
  }
  return nodes;
}

/** The largest power of two smaller than `count`. */
function splitOf(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}
