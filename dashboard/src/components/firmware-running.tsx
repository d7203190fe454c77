// What runs where: each version by the number of its meters.

import { Link } from "wouter";
import { Badge } from "../ui/badge.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { counted, percent } from "../util/format.ts";
import { t } from "../util/text.ts";
import { Digest } from "./firmware-text.tsx";
import type { RunningVersion } from "./firmware-versions.ts";
import styles from "./firmware-running.module.css";

export function FirmwareRunning({ versions }: { versions: readonly RunningVersion[] }) {
  const columns: Column<RunningVersion>[] = [
    { id: "version", header: t("firmware.running.version"), renderCell: (row) => <VersionText row={row} /> },
    {
      id: "meters",
      header: t("firmware.running.meters"),
      renderCell: ({ meters, share }) => (
        <span className={styles["share"]}>
          <span className={styles["count"]}>{counted(meters)}</span>
          <span className={styles["track"]} aria-hidden="true">
            <span style={{ width: `${String(share * 100)}%` }} />
          </span>
          <span>{percent(share)}</span>
        </span>
      ),
    },
    {
      id: "digest",
      header: t("firmware.running.digest"),
      renderCell: ({ digest }) => <Digest digest={digest} label={t("firmware.running.digest")} />,
    },
    { id: "state", header: t("firmware.running.state"), renderCell: ({ release, digest }) => (digest === null ? null : <Published state={release?.state ?? null} />) },
  ];
  return <Table label={t("firmware.running.heading")} columns={columns} rows={versions} rowKey={({ digest }) => digest ?? ""} />;
}

function VersionText({ row: { version, release, digest } }: { row: RunningVersion }) {
  if (digest === null) return t("firmware.running.noBoot");
  const text = <strong>{version ?? t("firmware.running.unknown")}</strong>;
  return release ? <Link href={`/firmware/releases/${release.digest}`}>{text}</Link> : text;
}

function Published({ state }: { state: "published" | "withdrawn" | null }) {
  if (state === null) return <Badge glyph="never">{t("firmware.running.notPublished")}</Badge>;
  return state === "published" ? (
    <Badge tone="good" glyph="own">
      {t("firmware.release.published")}
    </Badge>
  ) : (
    <Badge tone="late" glyph="revoked">
      {t("firmware.release.withdrawn")}
    </Badge>
  );
}
