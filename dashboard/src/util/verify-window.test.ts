import { describe, expect, test } from "vitest";
import { enrolledAgain, like, meterKey, meterSecret, sealedWindow, sign, windowClaim } from "./golden-vectors.fixture.ts";
import { hexOf, withByte, bytesOf } from "./hex.ts";
import { webCryptoEngine } from "./p256.ts";
import { javascriptEngine } from "./p256-javascript.ts";
import type { Verdict } from "./verify-checks.ts";
import { verifyWindow, type WindowClaim } from "./verify-window.ts";

const engines = [webCryptoEngine(crypto.subtle), javascriptEngine];

/** Thousands of forgeries take a while on a busy machine. */
const many = { timeout: 60_000 };

/** The slower one for some of many forgeries: that both agree is what every other test shows. */
const engineFor = (place: number) => (place % 64 === 5 ? javascriptEngine : webCryptoEngine(crypto.subtle));

/** The verdict, on which both engines agree. */
async function verdict(claim: WindowClaim, key = meterKey): Promise<Verdict> {
  const [one, other] = await Promise.all(engines.map((engine) => verifyWindow(engine, claim, key)));
  if (!one || !other) throw new Error("no verdict");
  expect({ ...one, engine: "" }).toEqual({ ...other, engine: "" });
  return one;
}

const failing = ({ checks }: Verdict) => checks.filter(({ outcome }) => outcome === "fails").map(({ name }) => name);
const open = ({ checks }: Verdict) => checks.filter(({ outcome }) => outcome === "unknown").map(({ name }) => name);

/** The figures of a forgery are read from its own bytes: no enrolment is needed. */
const bareKey = { ...meterKey, enrolments: null };

const flipped = (hex: string, bit: number) => withByte(hex, bit >> 3, Number.parseInt(hex.slice((bit >> 3) * 2, (bit >> 3) * 2 + 2), 16) ^ (1 << (bit & 7)));

describe("a window as its meter signed it is proven", () => {
  test.each([1, 2, 7, 60])("with %s readings, whose root is rebuilt", async (count) => {
    const proven = await verdict(await windowClaim(count));
    expect(proven.overall).toBe("proven");
    expect(open(proven)).toEqual(["previous"]);
  });

  test("without its readings, and says that the root could not be rebuilt", async () => {
    const proven = await verdict({ ...(await windowClaim(7)), readings: [] });
    expect(proven.overall).toBe("proven");
    expect(open(proven)).toEqual(["readings", "rebuilt", "previous", "plant"]);
  });

  test("as the one that follows the window before", async () => {
    const { window } = await sealedWindow(7);
    const before = like(window, { chain_index: 2n, produced_open: 8000n, produced_close: 8990n });
    const record = like(window, { previous: hexOf(await javascriptEngine.sha256(bytesOf(before) ?? new Uint8Array())) });
    const claim = { ...(await windowClaim(7)), record, signature: sign(meterSecret, "window", record), shown: null };
    expect(open(await verdict({ ...claim, previous: { record: before } }))).toEqual([]);
    const other = like(before, { log_size: 7n, log_root: "11".repeat(32) });
    expect(failing(await verdict({ ...claim, previous: { record: other } }))).toEqual(["previous"]);
  });
});

describe("a forgery fails by name", () => {
  test("every_flipped_bit_of_a_window_and_its_signature", many, async () => {
    const claim = { ...(await windowClaim(2)), shown: null };
    const forgeries = [
      ...Array.from({ length: claim.record.length * 4 }, (_, bit) => ({ ...claim, record: flipped(claim.record, bit) })),
      ...Array.from({ length: 512 }, (_, bit) => ({ ...claim, signature: flipped(claim.signature, bit) })),
    ];
    const verdicts = await Promise.all(forgeries.map((forgery, place) => verifyWindow(engineFor(place), forgery, bareKey)));
    expect(verdicts.flatMap(({ overall }, place) => (overall === "false" ? [] : [place]))).toEqual([]);
  });

  test("every_flipped_bit_of_a_reading_in_it", many, async () => {
    const claim = { ...(await windowClaim(3)), shown: null };
    const [, middle] = claim.readings;
    const verdicts = await Promise.all(
      Array.from({ length: (middle?.record.length ?? 0) * 4 }, (_, bit) => {
        const readings = claim.readings.map((reading, place) => (place === 1 ? { ...reading, record: flipped(reading.record, bit) } : reading));
        return verifyWindow(engineFor(bit), { ...claim, readings }, bareKey);
      }),
    );
    expect(verdicts.flatMap((refuted, bit) => (failing(refuted).includes("rebuilt") ? [] : [bit]))).toEqual([]);
  });

  test("reading_left_out", async () => {
    const claim = await windowClaim(7);
    expect(failing(await verdict({ ...claim, readings: claim.readings.toSpliced(3, 1) }))).toEqual(["readings", "rebuilt"]);
  });

  test("two_readings_exchanged", async () => {
    const claim = await windowClaim(7);
    const [one, other] = claim.readings;
    if (!one || !other) throw new Error("no readings");
    expect(failing(await verdict({ ...claim, readings: [other, one, ...claim.readings.slice(2)] }))).toEqual(["readings", "rebuilt"]);
  });

  test("figures_that_the_bytes_do_not_say", async () => {
    const claim = await windowClaim(3);
    const { shown } = claim;
    if (!shown) throw new Error("nothing shown");
    const changes = [{ energy_wh: 1e6 }, { count: 4 }, { digest: "00" }, { previous_digest: null }, { root: "00" }, { flags: ["recovered"] }, { id: 4 }];
    const failures = await Promise.all(changes.map(async (change) => failing(await verdict({ ...claim, shown: { ...shown, ...change } }))));
    expect(failures).toEqual(changes.map(() => ["shown"]));
    const listed = claim.readings.map((reading, place) => (place === 2 ? { ...reading, power_w: 99_999 } : reading));
    expect(failing(await verdict({ ...claim, readings: listed }))).toEqual(["plant"]);
  });

  test("answer_of_another_shape", async () => {
    const claim = await windowClaim(3);
    const claims: [field: string, claim: unknown][] = [
      ["record", { ...claim, record: undefined }],
      ["signature", { ...claim, signature: null }],
      ["readings", { ...claim, readings: "" }],
      ["readings", { ...claim, readings: [{ record: 5 }] }],
      ["flags", { ...claim, shown: { ...claim.shown, flags: 0 } }],
    ];
    const verdicts = await Promise.all(claims.map(([, each]) => verdict(each as WindowClaim)));
    expect(verdicts.map(({ checks }) => checks)).toMatchObject(claims.map(([detail]) => [{ name: "windowBytes", outcome: "fails", why: "field", detail }]));
  });

  test("another_window_of_the_same_meter", async () => {
    const claim = await windowClaim(3);
    expect(failing(await verdict({ ...claim, asked: { ...claim.asked, window: 4 } }))).toEqual(["shown"]);
  });
});

/** A window from before its meter took an enrolment over. */
async function nameless(): Promise<WindowClaim> {
  const claim = await windowClaim(3);
  const record = like(claim.record, { enrolment: "00".repeat(32) });
  const shown = claim.shown ? { ...claim.shown, enrolment_digest: null, digest: hexOf(await javascriptEngine.sha256(bytesOf(record) ?? new Uint8Array())) } : null;
  return { ...claim, record, signature: sign(meterSecret, "window", record), shown };
}

describe("a window that names no enrolment", () => {
  test("is not proven where only one of two accepted enrolments gives its readings' power", async () => {
    const unproven = await verdict(await nameless(), enrolledAgain({ ct_ratio_milli: 10_000n }));
    expect([unproven.overall, open(unproven)]).toEqual(["unproven", ["previous", "plant"]]);
  });

  test("is proven where both give it", async () => {
    expect((await verdict(await nameless(), enrolledAgain({ rated_power: 1234n }))).overall).toBe("proven");
  });
});
