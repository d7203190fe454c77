import { describe, expect, test } from "vitest";
import { bytes, ourRecords, vectors } from "./golden-vectors.fixture.ts";
import { hexOf } from "./hex.ts";
import { leafHash, nodesOnPath, rootOf, stepsOf } from "./merkle.ts";
import { webCryptoEngine } from "./p256.ts";
import { javascriptEngine } from "./p256-javascript.ts";

interface TreeVectors {
  entries: string[];
  leaf_hashes: string[];
  roots: string[];
  inclusion: { index: string; size: string; proof: string[] }[];
}

const tree = vectors<TreeVectors>("merkle.json");

describe.each([webCryptoEngine(crypto.subtle), javascriptEngine])("a tree hashed by $name", (engine) => {
  test("has the leaves and the roots of the vectors", async () => {
    const leaves = await Promise.all(tree.entries.map(async (entry) => hexOf(await leafHash(engine, bytes(entry)))));
    expect(leaves).toEqual(tree.leaf_hashes);
    const roots = await Promise.all(tree.roots.map(async (_, size) => hexOf(await rootOf(engine, tree.entries.slice(0, size).map(bytes)))));
    expect(roots).toEqual(tree.roots);
  });

  test.each(tree.inclusion)("is reached from leaf $index of $size by its path, and by no other", async ({ index, size, proof }) => {
    const [place, count] = [Number(index), Number(size)];
    const leaf = bytes(tree.leaf_hashes[place] ?? "");
    const topOf = async (path: readonly string[], at = place, of = count) => {
      const nodes = await nodesOnPath(engine, leaf, at, of, path.map(bytes));
      return nodes ? hexOf(nodes.at(-1) ?? bytes("")) : null;
    };
    const root = tree.roots[count];
    expect(await topOf(proof)).toBe(root);
    expect(await topOf([...proof, "00".repeat(32)])).toBeNull();
    if (proof.length > 0) expect(await topOf(proof.slice(0, -1))).toBeNull();
    const changed = proof.map((hash, at) => topOf(proof.with(at, `${hash.slice(0, -1)}${hash.endsWith("0") ? "1" : "0"}`)));
    const moved = Array.from({ length: count }, (_, other) => (other === place ? null : topOf(proof, other)));
    expect(await Promise.all([...changed, ...moved])).not.toContain(root);
  });

  test("has the leaf hash of each reading of the vectors", async () => {
    const readings = ourRecords.filter(({ type }) => type.endsWith("reading"));
    expect(readings.length).toBeGreaterThan(0);
    const leaves = await Promise.all(readings.map(async ({ payload }) => hexOf(await leafHash(engine, bytes(payload)))));
    expect(leaves).toEqual(readings.map(({ leaf_hash }) => leaf_hash));
  });
});

describe("the steps up from a leaf", () => {
  test("cover every other leaf exactly once", () => {
    for (let count = 1; count <= 70; count += 1) {
      for (let index = 0; index < count; index += 1) {
        const siblings = (stepsOf(index, count) ?? []).flatMap(({ sibling: { start, end } }) => Array.from({ length: end - start }, (_, place) => start + place));
        expect([...siblings, index].toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, place) => place));
      }
    }
  });

  test.each([
    [-1, 4],
    [4, 4],
    [0.5, 4],
    [0, 0],
  ])("do not exist for leaf %s of %s", (index, count) => {
    expect(stepsOf(index, count)).toBeNull();
  });
});
