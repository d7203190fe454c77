import { describe, expect, test } from "vitest";
import { enrolledAgain, keys, like, liveClaim, meterKey, meterSecret, ourRecords, sealedClaim, sign } from "./golden-vectors.fixture.ts";
import { withByte } from "./hex.ts";
import { webCryptoEngine } from "./p256.ts";
import { javascriptEngine } from "./p256-javascript.ts";
import type { Verdict } from "./verify-checks.ts";
import { namedReading, readingId, verifyReading, type MeterKey, type ProofClaim, type ReadingClaim, type ReadingVerdict } from "./verify-reading.ts";

const engines = [webCryptoEngine(crypto.subtle), javascriptEngine];

/** Thousands of forgeries take a while on a busy machine. */
const many = { timeout: 60_000 };

/** The slower one for some of many forgeries: that both agree is what every other test shows. */
const engineFor = (place: number) => (place % 64 === 5 ? javascriptEngine : webCryptoEngine(crypto.subtle));
const single = ourRecords.find(({ name }) => name === "reading of a real Shelly EM")?.payload ?? "";
const threePhase = ourRecords.find(({ type }) => type === "three-phase-reading")?.payload ?? "";

/** The verdict, on which both engines agree. */
async function verdict(claim: ReadingClaim, key: MeterKey = meterKey): Promise<ReadingVerdict> {
  const [one, other] = await Promise.all(engines.map((engine) => verifyReading(engine, claim, key)));
  if (!one || !other) throw new Error("no verdict");
  expect({ ...one, engine: "" }).toEqual({ ...other, engine: "" });
  return one;
}

const failing = ({ checks }: Verdict) => checks.filter(({ outcome }) => outcome === "fails").map(({ name }) => name);
const open = ({ checks }: Verdict) => checks.filter(({ outcome }) => outcome === "unknown").map(({ name }) => name);

/** The figures of a forgery are read from its own bytes: no enrolment is needed. */
const bareKey = { ...meterKey, enrolments: null };

/** The same digits with one bit flipped. */
const flipped = (hex: string, bit: number) => withByte(hex, bit >> 3, Number.parseInt(hex.slice((bit >> 3) * 2, (bit >> 3) * 2 + 2), 16) ^ (1 << (bit & 7)));

const withProof = (claim: ReadingClaim, change: Partial<ProofClaim>): ReadingClaim => ({ ...claim, proof: claim.proof ? { ...claim.proof, ...change } : null });

const withShown = (claim: ReadingClaim, change: Partial<NonNullable<ReadingClaim["shown"]>>): ReadingClaim => ({
  ...claim,
  shown: claim.shown ? { ...claim.shown, ...change } : null,
});

describe("a reading as its meter signed it is proven", () => {
  test.each([
    ["single-phase", single],
    ["three-phase", threePhase],
  ])("%s, by its own signature", async (_claim, record) => {
    const { overall, checks } = await verdict(liveClaim(record));
    expect(checks.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["bytes holds", "key holds", "signature holds", "plant holds", "shown holds"]);
    expect(overall).toBe("proven");
  });

  test.each([
    [0, 1],
    [0, 60],
    [37, 60],
    [59, 60],
    [6, 7],
  ])("at place %s of a window of %s", async (index, count) => {
    const { overall, checks } = await verdict(await sealedClaim(index, count));
    expect(checks.filter(({ outcome }) => outcome !== "holds")).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(["bytes", "key", "path", "root", "inWindow", "windowBytes", "windowSignature", "plant", "shown"]);
    expect(overall).toBe("proven");
  });
});

/** Which of the forgeries are not refuted. */
async function unrefuted(forgeries: readonly ReadingClaim[]): Promise<number[]> {
  const verdicts = await Promise.all(forgeries.map((forgery, place) => verifyReading(engineFor(place), forgery, bareKey)));
  return verdicts.flatMap(({ overall }, place) => (overall === "false" ? [] : [place]));
}

/** One forgery for each bit of these digits. */
const eachBit = (hex: string, forge: (changed: string) => ReadingClaim) => Array.from({ length: hex.length * 4 }, (_, bit) => forge(flipped(hex, bit)));

test("a reading is named by the number under which it is listed and by its sequence number", () => {
  expect(readingId(3, 12n)).toBe(3 * 2 ** 29 + 12);
  expect(namedReading(3, 12)).toBe(readingId(3, 12n));
  expect(namedReading(3, readingId(3, 12n))).toBe(readingId(3, 12n));
  expect(namedReading(3, readingId(4, 12n))).toBe(readingId(4, 12n));
  expect(namedReading(3, Number("twelve"))).toBeNaN();
});

describe("every flipped bit is false", () => {
  test("of a live reading, even when the figures are forged with it", many, async () => {
    const claim = { ...liveClaim(single), shown: null };
    expect(await unrefuted(eachBit(single, (record) => ({ ...claim, record })))).toEqual([]);
  });

  test("of its signature", many, async () => {
    const claim = liveClaim(single);
    expect(await unrefuted(eachBit(claim.signature ?? "", (signature) => ({ ...claim, signature })))).toEqual([]);
  });

  test("of a sealed reading, its path, its window and the window's signature", many, async () => {
    const claim = { ...(await sealedClaim(4, 7)), shown: null };
    const { record, proof } = claim;
    const path = proof?.path ?? [];
    const forgeries = [
      ...eachBit(record ?? "", (changed) => ({ ...claim, record: changed })),
      ...path.flatMap((hash, place) => eachBit(hash, (changed) => withProof(claim, { path: path.with(place, changed) }))),
      ...eachBit(proof?.root ?? "", (root) => withProof(claim, { root })),
      ...eachBit(proof?.window_record ?? "", (window_record) => withProof(claim, { window_record })),
      ...eachBit(proof?.window_signature ?? "", (window_signature) => withProof(claim, { window_signature })),
    ];
    expect(await unrefuted(forgeries)).toEqual([]);
  });
});

describe("a forgery fails by name", () => {
  test("changed_power", async () => {
    const claim = liveClaim(single);
    expect(failing(await verdict({ ...claim, record: like(single, { power: 999_000n }) }))).toEqual(["signature", "plant"]);
  });

  test("high_s", async () => {
    const claim = liveClaim(single);
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const signature = claim.signature ?? "";
    const high = signature.slice(0, 64) + (order - BigInt(`0x${signature.slice(64)}`)).toString(16).padStart(64, "0");
    const { checks } = await verdict({ ...claim, signature: high });
    expect(checks.find(({ name }) => name === "signature")?.why).toBe("high-s");
  });

  test("figures_that_the_bytes_do_not_say", async () => {
    const claim = liveClaim(single);
    const own = [{ produced_wh: 1 }, { timestamp: 1 }, { sequence: 1 }, { flags: ["queued"] }, { meter_id: "00" }, { id: 1 }, { window_id: 4 }];
    const plants = [{ power_w: 99_999 }, { total_wh: 1 }, { power_w: null }];
    const failures = await Promise.all([...own, ...plants].map(async (change) => failing(await verdict(withShown(claim, change)))));
    expect(failures).toEqual([...own.map(() => ["shown"]), ...plants.map(() => ["plant"])]);
  });

  test("unsigned_bytes_beside_a_proof_that_is_none", async () => {
    const claim = { ...liveClaim(single), signature: null };
    const proofs: unknown[] = [undefined, 0, false, "", []];
    const verdicts = await Promise.all(proofs.map((proof) => verdict({ ...claim, proof } as ReadingClaim)));
    expect(verdicts.map(({ overall }) => overall)).toEqual(proofs.map(() => "unproven"));
    expect(verdicts.map(({ checks }) => checks.find(({ name }) => name === "path"))).toMatchObject(proofs.map(() => ({ outcome: "unknown", why: "field", detail: "proof" })));
  });

  test("answer_of_another_shape", async () => {
    const [live, sealed] = [liveClaim(single), await sealedClaim(3, 8)];
    const claims: [field: string, claim: unknown][] = [
      ["record", { ...live, record: 5 }],
      ["signature", { ...live, signature: undefined }],
      ["flags", { ...live, shown: { ...live.shown, flags: null } }],
      ["proof.path", { ...sealed, proof: { ...sealed.proof, path: "ab" } }],
      ["proof.leaf_index", { ...sealed, proof: { ...sealed.proof, leaf_index: 0.5 } }],
      ["proof.window_record", { ...sealed, proof: { ...sealed.proof, window_record: undefined } }],
    ];
    const verdicts = await Promise.all(claims.map(([, claim]) => verdict(claim as ReadingClaim)));
    const keyless = await verdict(live, { ...meterKey, publicKey: undefined } as unknown as MeterKey);
    expect([...verdicts, keyless].map(({ checks }) => checks)).toMatchObject(
      [...claims.map(([field]) => field), "public_key"].map((detail) => [{ name: "bytes", outcome: "fails", why: "field", detail }]),
    );
  });

  test("another_reading_of_the_same_meter", async () => {
    const claim = liveClaim(single);
    expect(failing(await verdict({ ...claim, asked: { ...claim.asked, reading: claim.asked.reading + 1 } }))).toEqual(["shown"]);
  });

  test("signed_bytes_that_are_no_reading", async () => {
    const record = like(single, { flags: 0x8000n });
    const claim = { ...liveClaim(single), record, signature: sign(meterSecret, "reading", record), shown: null };
    expect(failing(await verdict(claim))).toEqual(["bytes"]);
  });

  test("another_meters_key", async () => {
    const other = keys.find(({ label }) => label === "other meter") ?? { id: "", public_key: "", secret: "" };
    const claim = liveClaim(single);
    expect(failing(await verdict(claim, { ...meterKey, publicKey: other.public_key }))).toContain("key");
    const signedByOther = { ...claim, signature: sign(other.secret, "reading", single) };
    expect(failing(await verdict(signedByOther, { ...meterKey, publicKey: other.public_key, meterId: other.id }))).toEqual(["key"]);
  });

  test("leaf_moved_within_its_window", async () => {
    const [third, fifth] = [await sealedClaim(3, 8), await sealedClaim(5, 8)];
    const moved = { ...third, proof: fifth.proof };
    expect(failing(await verdict(moved))).toEqual(["path", "inWindow"]);
  });

  test("window_that_the_meter_did_not_sign", async () => {
    const claim = await sealedClaim(3, 8);
    const window = like(claim.proof?.window_record ?? "", { produced_close: 10n ** 9n });
    expect(failing(await verdict(withProof(claim, { window_record: window })))).toEqual(["windowSignature"]);
  });

  test("root_that_is_not_the_windows", async () => {
    const claim = await sealedClaim(3, 8);
    expect(failing(await verdict(withProof(claim, { root: "00".repeat(32) })))).toEqual(["path", "root"]);
  });
});

describe("what cannot be checked is not proven and not refuted", () => {
  test("a reading without bytes", async () => {
    const claim = { ...liveClaim(single), record: null };
    expect(await verdict(claim)).toMatchObject({ overall: "unproven", checks: [{ name: "bytes", outcome: "unknown" }] });
  });

  test("a reading without any signature", async () => {
    const refuted = await verdict({ ...liveClaim(single), signature: null });
    expect([refuted.overall, open(refuted)]).toEqual(["unproven", ["signature"]]);
  });

  test("a sealed reading whose path was left out", async () => {
    const refuted = await verdict(withProof(withShown(await sealedClaim(3, 8), { window_id: null }), { path: null }));
    expect([refuted.overall, open(refuted)]).toEqual(["unproven", ["path"]]);
  });

  test("the plant's power without the enrolment that the window names", async () => {
    const claim = await sealedClaim(3, 8);
    const served = [null, [], meterKey.enrolments?.slice(0, 1) ?? []];
    const verdicts = await Promise.all(served.map((enrolments) => verdict(claim, { ...meterKey, enrolments })));
    expect(verdicts.map((each) => [each.overall, open(each)])).toEqual(served.map(() => ["unproven", ["plant"]]));
  });

  test("a live reading whose figures only one of two accepted enrolments gives", async () => {
    const refuted = await verdict(liveClaim(single), enrolledAgain({ ct_ratio_milli: 10_000n }));
    expect([refuted.overall, open(refuted), refuted.plant]).toEqual(["unproven", ["plant"], null]);
    expect(refuted.checks.find(({ name }) => name === "plant")?.why).toBe("not-sealed");
  });
});

describe("a reading under two accepted enrolments", () => {
  test("is proven where both give the figures that are shown", async () => {
    const claim = liveClaim(single);
    const { overall, plant } = await verdict(claim, enrolledAgain({ rated_power: 1234n }));
    expect([overall, plant?.power_w]).toEqual(["proven", claim.shown?.power_w]);
  });

  test("has the figures of the one that its window names", async () => {
    const claim = await sealedClaim(3, 8);
    const { overall, plant } = await verdict(claim, enrolledAgain({ ct_ratio_milli: 10_000n }));
    expect([overall, plant?.power_w]).toEqual(["proven", claim.shown?.power_w]);
  });

  test("is refuted by figures that neither gives", async () => {
    const claim = withShown(liveClaim(single), { power_w: 99_999 });
    expect(failing(await verdict(claim, enrolledAgain({ ct_ratio_milli: 10_000n })))).toEqual(["plant"]);
  });
});
