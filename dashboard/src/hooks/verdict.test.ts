import { environmentManager, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MeterKey } from "../util/verify-reading.ts";
import { verdictQuery } from "./verdict.ts";

const isServer = environmentManager.isServer();

beforeEach(() => {
  environmentManager.setIsServer(() => false);
});

afterEach(() => {
  environmentManager.setIsServer(() => isServer);
});

interface Subject {
  readonly record: string;
  readonly meterKey: MeterKey;
}

const never = () => new Promise<string>(() => undefined);

const meterKey: MeterKey = { meterId: "aa", publicKey: "bb", enrolments: [] };
const hashOf = (subject: object) => {
  const { queryKey, queryKeyHashFn } = verdictQuery("reading", "01", { meterKey, ...subject }, never);
  return queryKeyHashFn?.(queryKey);
};

test("inputs that JSON makes one of have a verdict each", () => {
  const powers = [null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, "null", "NaN", "Infinity", "undefined"];
  const hashes = [{}, ...powers.map((power_w) => ({ power_w }))].map(hashOf);
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hashOf({ power_w: 1 })).toBe(hashOf({ power_w: 1 }));
});

const genuine: Subject = { record: "01", meterKey };

/** What is shown once `next` is asked for in place of the record that was proven, and no answer comes. */
async function shownAfterProof(served: string | null, next: Subject | null): Promise<unknown> {
  const client = new QueryClient();
  const proving = verdictQuery("reading", genuine.record, genuine, () => Promise.resolve("proven"));
  await client.fetchQuery(proving);
  const observer = new QueryObserver(client, proving);
  const leave = observer.subscribe(() => undefined);
  expect(observer.getCurrentResult().data).toBe("proven");
  observer.setOptions(verdictQuery("reading", served, next, never));
  const { data } = observer.getCurrentResult();
  leave();
  return data;
}

describe("the verdict before another is computed", () => {
  test("stays while a copy of the same bytes is changed", async () => {
    expect(await shownAfterProof(genuine.record, { ...genuine, record: "02" })).toBe("proven");
  });

  test("proof_of_other_bytes_kept_by_an_answer_that_never_comes", async () => {
    expect(await shownAfterProof("02", null)).toBeUndefined();
    expect(await shownAfterProof(genuine.record, null)).toBeUndefined();
  });

  test("is not that of other bytes, nor of another key", async () => {
    expect(await shownAfterProof("02", { ...genuine, record: "02" })).toBeUndefined();
    expect(await shownAfterProof(genuine.record, { ...genuine, meterKey: { ...meterKey, publicKey: "cc" } })).toBeUndefined();
  });
});
