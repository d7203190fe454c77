import { describe, expect, test } from "vitest";
import { signatureStructure, signedItems, type Meaning } from "./cose.ts";
import { bytes, keys, ourRecords, records, sign, vectors } from "./golden-vectors.fixture.ts";
import { hexOf } from "./hex.ts";
import type { Engine } from "./crypto-engine.ts";
import { engineHere, signatureFault, webCryptoEngine } from "./p256.ts";
import { javascriptEngine } from "./p256-javascript.ts";
import { verifies } from "./verify-checks.ts";

const engines = [webCryptoEngine(crypto.subtle), javascriptEngine];
const meaningOf = (domain: string) => domain.replace("wattwitness/v1/", "") as Meaning;

describe("a signature", () => {
  test.each(records.filter(({ signature }) => signature))("is made over the bytes of the vectors: $name", async ({ domain, payload, sig_structure, digest }) => {
    const structure = signatureStructure(meaningOf(domain), bytes(payload));
    expect(hexOf(structure)).toBe(sig_structure);
    const digests = await Promise.all(engines.map(async (engine) => hexOf(await engine.sha256(bytes(payload)))));
    expect(digests).toEqual([digest, digest]);
  });

  test.each(ourRecords)("of the vectors verifies by both engines, in its own domain only: $name", async ({ domain, public_key, payload, signature }) => {
    const others: Meaning[] = ["reading", "three-phase-reading", "window", "enrolment", "enrolment-acceptance"];
    const answers = (engine: Engine) => Promise.all(others.map((meaning) => verifies(engine, public_key, meaning, payload, signature)));
    const right = others.map((meaning) => meaning === meaningOf(domain));
    expect(await Promise.all(engines.map(answers))).toEqual([right, right]);
  });

  const { forgeries } = vectors<{ forgeries: { name: string; public_key: string; domain: string; cose_sign1: string }[] }>("forgeries.json");

  test.each(forgeries)("that is forged verifies by no engine: $name", async ({ public_key, domain, cose_sign1 }) => {
    const [item] = signedItems(bytes(cose_sign1)) ?? [];
    expect(item).toBeDefined();
    const answers = engines.map((engine) => verifies(engine, public_key, meaningOf(domain), item?.payload ?? "", item?.signature ?? ""));
    expect(await Promise.all(answers)).toEqual([false, false]);
  });

  test("with a high s is refused although the curve's equation holds for it", async () => {
    const [{ public_key, payload, signature } = { public_key: "", payload: "", signature: "" }] = ourRecords;
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const high = signature.slice(0, 64) + (order - BigInt(`0x${signature.slice(64)}`)).toString(16).padStart(64, "0");
    expect(signatureFault(high)).toBe("high-s");
    const structure = signatureStructure("reading", bytes(payload));
    const byEquation = await Promise.all(engines.map((engine) => engine.verifies(bytes(public_key), structure, bytes(high))));
    const byRule = await Promise.all(engines.map((engine) => verifies(engine, public_key, "reading", payload, high)));
    expect([byEquation, byRule]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  test.each([
    ["too short", "00".repeat(63), "length"],
    ["not hexadecimal", "zz".repeat(64), "digits"],
    ["of zeros", "00".repeat(64), "out-of-range"],
    ["with an r of the order", `ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551${"00".repeat(31)}01`, "out-of-range"],
  ])("that is %s is none", (_claim, signature, fault) => {
    expect(signatureFault(signature)).toBe(fault);
  });

  test("under a key that is no point of the curve verifies by no engine", async () => {
    const [{ secret } = { secret: "" }] = keys;
    const signature = sign(secret, "reading", "0101");
    const answers = engines.map((engine) => verifies(engine, "11".repeat(64), "reading", "0101", signature));
    expect(await Promise.all(answers)).toEqual([false, false]);
  });
});

describe("a body of signed records", () => {
  test("is read item by item", () => {
    const [one, other] = ourRecords;
    const items = signedItems(bytes(`${one?.cose_sign1 ?? ""}${other?.cose_sign1 ?? ""}`));
    expect(items).toEqual([one, other].map((each) => ({ payload: each?.payload, signature: each?.signature })));
  });

  test("that is cut short or has anything else in it is not read at all", () => {
    const [one] = ourRecords;
    const whole = one?.cose_sign1 ?? "";
    expect(signedItems(bytes(whole.slice(0, -2)))).toBeNull();
    expect(signedItems(bytes(`${whole}00`))).toBeNull();
    expect(signedItems(bytes(whole.replace(/^d2/, "d3")))).toBeNull();
  });

  const { refusals } = vectors<{ refusals: { name: string; cose_sign1: string; reason: string }[] }>("cose-refusals.json");

  test.each(refusals.filter(({ cose_sign1 }) => cose_sign1 !== ""))("is refused where the vectors refuse it: $name", ({ cose_sign1 }) => {
    const items = signedItems(bytes(cose_sign1));
    // Two items in a row are a body of two; a signature out of its range is refused when it is verified.
    const isTaken = items !== null && items.length === 1 && items.every(({ payload, signature }) => payload.length <= 640 && signatureFault(signature) === null);
    expect(isTaken).toBe(false);
  });
});

test("without WebCrypto the engine is the JavaScript one", async () => {
  expect((await engineHere()).name).toBe("webcrypto");
  const here = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  try {
    expect((await engineHere()).name).toBe("javascript");
  } finally {
    if (here) Object.defineProperty(globalThis, "crypto", here);
  }
});
