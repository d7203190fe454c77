// Lines of the audit trail: when, who, what, to what, and with what.

import { Link } from "wouter";
import type { AuditEntry } from "../api/administration.ts";
import type { Installation } from "../api/types.ts";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { dateTimeSeconds } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { actionText, detailText, named } from "./audit-words.ts";
import styles from "./audit-table.module.css";

interface AuditTableProps {
  entries: readonly AuditEntry[];
  installations: readonly Installation[];
  zone: string;
}

export function AuditTable({ entries, installations, zone }: AuditTableProps) {
  const columns: Column<AuditEntry>[] = [
    {
      id: "time",
      header: t("audit.list.time"),
      renderCell: ({ time }) => {
        const at = instantOf(time);
        return <span className={styles["time"]}>{at === null ? t("audit.list.noTime") : <TimeText at={at}>{dateTimeSeconds(at, zone)}</TimeText>}</span>;
      },
    },
    { id: "actor", header: t("audit.list.actor"), renderCell: ({ actor }) => <NameText said={actor} installations={installations} /> },
    { id: "action", header: t("audit.list.action"), renderCell: ({ action }) => <Action action={action} /> },
    { id: "subject", header: t("audit.list.subject"), renderCell: ({ subject }) => <NameText said={subject} installations={installations} /> },
    {
      id: "detail",
      header: t("audit.list.detail"),
      renderCell: ({ detail }) => (detail === "" ? null : <Detail detail={detail} />),
    },
  ];
  return <Table label={t("audit.list.heading")} columns={columns} rows={entries} rowKey={({ id }) => id} rowState={({ action }) => action} />;
}

function Action({ action }: { action: string }) {
  const text = actionText(action);
  return (
    <span title={action} lang={text === action ? "en" : undefined}>
      {text}
    </span>
  );
}

/** A whole digest is there for whoever compares it. */
function Detail({ detail }: { detail: string }) {
  const text = detailText(detail);
  return (
    <span className={styles["detail"]} title={/[0-9a-f]{64}/.exec(detail)?.[0]} lang={text === detail ? "en" : undefined}>
      {text}
    </span>
  );
}

function NameText({ said, installations }: { said: string; installations: readonly Installation[] }) {
  const { text, href } = named(said, installations);
  return href === null ? (
    <span title={text === said ? undefined : said}>{text}</span>
  ) : (
    <Link href={href} title={said}>
      {text}
    </Link>
  );
}
