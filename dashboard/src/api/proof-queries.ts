// What a proof needs beside a reading: the window that seals it, and the enrolments that its meter countersigned.

import { queryOptions } from "@tanstack/react-query";
import { signedItems } from "../util/cose.ts";
import { getBytes, getJson } from "./client.ts";
import type { WindowDetail } from "./types.ts";

export const proofQueries = {
  window: (installation: number, window: number) =>
    queryOptions({
      queryKey: ["window", installation, window],
      queryFn: ({ signal }) => getJson<WindowDetail>(`/api/v1/installations/${String(installation)}/windows/${String(window)}`, signal),
    }),

  /** The enrolments of a meter with their signatures; null when the answer is not in the one form that they have. */
  enrolments: (meterId: string) =>
    queryOptions({
      queryKey: ["enrolments", meterId],
      queryFn: async ({ signal }) => signedItems(await getBytes(`/api/v1/meters/${meterId}/enrolments`, signal)),
      // An old list would refute what was measured under a new enrolment.
      staleTime: 0,
    }),
};
