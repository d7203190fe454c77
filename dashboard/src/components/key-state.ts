// What has become of an API key by a certain time. It puts nothing into words.

import type { ApiKey } from "../api/administration.ts";
import { instantOf } from "../util/instant.ts";

export type KeyState = "valid" | "ending" | "expired" | "revoked";

const soon = 14 * 86_400_000;

export function keyState({ expires_at, revoked_at }: ApiKey, now: number): KeyState {
  if (revoked_at !== null) return "revoked";
  const end = instantOf(expires_at);
  if (end === null) return "valid";
  if (end <= now) return "expired";
  return end - now < soon ? "ending" : "valid";
}

export const spans = ["days30", "days90", "year", "date", "never"] as const;
export type Span = (typeof spans)[number];

const day = 86_400_000;

/** When a key made now is to end: null for never; undefined where the date says no day that is still to come. A date's key ends with that local day. */
export function expiryOf(span: Span, date: string, now: number): string | null | undefined {
  switch (span) {
    case "never":
      return null;
    case "days30":
      return new Date(now + 30 * day).toISOString();
    case "days90":
      return new Date(now + 90 * day).toISOString();
    case "year":
      return new Date(now + 365 * day).toISOString();
    case "date": {
      const [, year, month, dayOfMonth] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
      if (year === undefined) return undefined;
      const end = new Date(Number(year), Number(month) - 1, Number(dayOfMonth) + 1).getTime();
      return Number.isNaN(end) || end <= now || Number(year) > 9998 ? undefined : new Date(end).toISOString();
    }
  }
}
