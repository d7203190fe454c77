// What the pages of administration ask of the gateway and have it change. Who may do so is the gateway's to decide.

import { queryOptions } from "@tanstack/react-query";
import { address, getJson, send } from "./client.ts";
import { keys } from "./queries.ts";
import type { components } from "./schema.ts";
import type { Installation } from "./types.ts";

type Schemas = components["schemas"];

export type Announcement = Schemas["Announcement"];
export type Approval = Schemas["Approval"];
export type LabelRequest = Schemas["LabelRequest"];
export type RevocationRequest = Schemas["RevocationRequest"];
/** One signed record of what was said of a meter. */
export type HistoryEntry = Schemas["HistoryEntry"];
/** What a meter measures and where, as an operator has signed it. */
export type EnrolmentDetail = Schemas["EnrolmentDetail"];
export type ApiKey = Schemas["ApiKey"];
export type NewApiKey = Schemas["NewApiKey"];
/** A new key, and the only time that it is seen. */
export type NewApiKeyAnswer = Schemas["NewApiKeyAnswer"];
export type AuditEntry = Schemas["AuditEntry"];

/** Which lines of the audit trail are asked for; null leaves a part out. */
export interface AuditFilter {
  actor: string | null;
  action: string | null;
  subject: string | null;
  /** Milliseconds, both of them included. */
  start: number | null;
  end: number | null;
}

/** Lines of the audit trail on one page. */
export const auditRows = 50;

function auditParameters({ actor, action, subject, start, end }: AuditFilter) {
  return {
    actor: actor ?? undefined,
    action: action ?? undefined,
    subject: subject ?? undefined,
    start_time: start === null ? undefined : new Date(start).toISOString(),
    end_time: end === null ? undefined : new Date(end).toISOString(),
  };
}

/** Where a browser downloads the same lines as a table. */
export function auditExport(filter: AuditFilter): string {
  return address("/api/v1/audit.csv", auditParameters(filter));
}

function installationPath(id: number): string {
  return `/api/v1/installations/${String(id)}`;
}

export const administration = {
  /** Asked for again with the installation. */
  history: (id: number) =>
    queryOptions({
      queryKey: [...keys.installation(id), "history"],
      queryFn: ({ signal }) => getJson<HistoryEntry[]>(`${installationPath(id)}/history`, signal),
    }),

  // What others change is in no stream: it is asked for whenever the page is opened.
  keys: () =>
    queryOptions({
      queryKey: ["api-keys"],
      queryFn: ({ signal }) => getJson<ApiKey[]>("/api/v1/keys", signal),
      staleTime: 0,
    }),

  /** Lines of the audit trail before the one of this number, newest first. */
  audit: (filter: AuditFilter, before: number | null) =>
    queryOptions({
      queryKey: ["audit", filter, before],
      queryFn: ({ signal }) =>
        getJson<AuditEntry[]>(address("/api/v1/audit", { ...auditParameters(filter), limit: auditRows, cursor: before ?? undefined }), signal),
      staleTime: 0,
    }),
};

export const changes = {
  announce: (announcement: Announcement) => send<Installation>("POST", "/api/v1/installations/", announcement),
  approve: (id: number, approval: Approval) => send<Installation>("POST", `${installationPath(id)}/approve`, approval),
  label: (id: number, label: LabelRequest) => send<Installation>("POST", `${installationPath(id)}/label`, label),
  revoke: (id: number, revocation: RevocationRequest) => send<Installation>("POST", `${installationPath(id)}/revoke`, revocation),
  createKey: (key: NewApiKey) => send<NewApiKeyAnswer>("POST", "/api/v1/keys", key),
  revokeKey: (id: number) => send<undefined>("DELETE", `/api/v1/keys/${String(id)}`),
};
