// A verdict on a record, computed in this browser, and what it is held against. Nothing that the gateway says of a signature is used.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
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
  /** Null until the first one is computed; while another is, the one before it. */
  readonly verdict: Verdict | null;
  /** The code that computes could not be loaded. */
  readonly hasFailed: boolean;
  readonly retry: () => void;
}

/** Computes a verdict on what `subject` holds; null asks for none. A component is to be keyed by its record, so that no verdict is shown for another. */
export function useVerdict<Subject, Verdict>(
  kind: "reading" | "window",
  subject: Subject | null,
  verify: (engine: Engine, subject: Subject) => Promise<Verdict>,
): VerdictState<Verdict> {
  const { data, isError, refetch } = useQuery({
    queryKey: ["verdict", kind, subject],
    queryFn: async () => (subject === null ? null : verify(await engineHere(), subject)),
    enabled: subject !== null,
    placeholderData: keepPreviousData,
    gcTime: 0,
    retry: false,
  });
  return { verdict: data ?? null, hasFailed: isError, retry: () => void refetch() };
}
