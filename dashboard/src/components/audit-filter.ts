// The filter of the audit trail as the address holds it. Days are the viewer's own.

import type { AuditFilter } from "../api/administration.ts";
import { dayStart } from "../util/instant.ts";

/** The parameters of the address. `before` is where a page of older lines begins. */
export const auditParameters = ["actor", "action", "subject", "from", "to", "before"] as const;

type AuditParameter = (typeof auditParameters)[number];

export type AuditAddress = Readonly<Record<AuditParameter, string | null>>;

/** What the gateway is asked for; days that cannot be read are left out. */
export function filterOf(address: AuditAddress, zone: string): AuditFilter {
  return {
    actor: address.actor || null,
    action: address.action || null,
    subject: address.subject || null,
    start: firstInstant(address.from, zone, 0),
    // The day's last millisecond: the gateway takes both ends in.
    end: lastInstant(address.to, zone),
  };
}

function firstInstant(day: string | null, zone: string, later: number): number | null {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? "") ?? [];
  if (year === undefined || Number(year) < 1970 || Number(year) > 9998) return null;
  return dayStart(Number(year), Number(month), Number(date) + later, zone);
}

function lastInstant(day: string | null, zone: string): number | null {
  const next = firstInstant(day, zone, 1);
  return next === null ? null : next - 1;
}

/** The line before which a page begins; null for the newest. */
export function pageOf(before: string | null): number | null {
  return /^\d{1,15}$/.test(before ?? "") ? Number(before) : null;
}
