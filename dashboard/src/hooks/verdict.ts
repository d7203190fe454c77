// A verdict on a record, computed in this browser, and what it is held against. Nothing that the gateway says of a signature is used.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { proofQueries } from "../api/proof-queries.ts";
import { queries } from "../api/queries.ts";
import type { Installation } from "../api/types.ts";
import type { Engine } from "../util/crypto-engine.ts";
import { engineHere } from "../util/p256.ts";
import type { MeterKey } from "../util/verify-reading.ts";

/** A meter with the key that its records are held against. */
export interface KeyedMeter {
  /** Null until the gateway has listed it, and when there is no such meter. */
  readonly installation: Installation | null;
  /** Null until all that belongs to it has arrived or failed. */
  readonly key: MeterKey | null;
  readonly isMissing: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useKeyedMeter(id: number): KeyedMeter {
  const installations = useQuery(queries.installations());
  const installation = installations.data?.find((each) => each.id === id) ?? null;
  const meterId = installation?.meter_id ?? "";
  const enrolments = useQuery({ ...proofQueries.enrolments(meterId), enabled: installation !== null });
  const key = installation && !enrolments.isPending ? { meterId, publicKey: installation.public_key, enrolments: enrolments.data ?? null } : null;
  return {
    installation,
    key,
    isMissing: installations.data !== undefined && installation === null,
    error: installations.data ? null : installations.error,
    retry: () => void installations.refetch(),
  };
}

export interface VerdictState<Verdict> {
  /** Null until one is computed; while that of a changed copy is, the one before it. */
  readonly verdict: Verdict | null;
  /** The code that computes could not be loaded. */
  readonly hasFailed: boolean;
  readonly retry: () => void;
}

type Verify<Subject, Verdict> = (engine: Engine, subject: Subject) => Promise<Verdict>;

/** Computes a verdict on what `subject` holds; null asks for none. `served` are the bytes as the gateway served them, also where a copy is judged. */
export function useVerdict<Subject extends Keyed, Verdict>(
  kind: "reading" | "window",
  served: string | null,
  subject: Subject | null,
  verify: Verify<Subject, Verdict>,
): VerdictState<Verdict> {
  const { data, isError, refetch } = useQuery(verdictQuery(kind, served, subject, verify));
  return { verdict: data ?? null, hasFailed: isError, retry: () => void refetch() };
}

/** What is left out of JSON, or is null there, is told apart: two answers that differ must not share a verdict. */
function exactly(key: readonly unknown[]): string {
  return JSON.stringify(key, (_, value: unknown) => {
    if (typeof value === "string") return `"${value}`;
    return value === undefined || (typeof value === "number" && !Number.isFinite(value)) ? String(value) : value;
  });
}

interface Keyed {
  readonly meterKey: MeterKey;
}

/** The verdict before stays only over the same served bytes and the same key: a gateway that serves others, or keeps an answer back, gets none. */
export function verdictQuery<Subject extends Keyed, Verdict>(
  kind: "reading" | "window",
  served: string | null,
  subject: Subject | null,
  verify: Verify<Subject, Verdict>,
) {
  const held = [served, subject?.meterKey.publicKey ?? null].join(" ");
  return queryOptions({
    queryKey: ["verdict", kind, held, subject] as const,
    queryKeyHashFn: exactly,
    queryFn: async () => (subject === null ? null : verify(await engineHere(), subject)),
    enabled: subject !== null,
    placeholderData: (before, query) => (subject !== null && query?.queryKey[2] === held ? before : undefined),
    gcTime: 0,
    retry: false,
  });
}
