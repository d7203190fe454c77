// All releases: what each is for, how large, who signed and published it, and whether it may be rolled out.

import { Link } from "wouter";
import type { FirmwareRelease } from "../api/firmware.ts";
import { Badge } from "../ui/badge.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { byteSize, counted, dateTime } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { shortClass } from "./firmware-words.ts";
import styles from "./firmware-table.module.css";

export function FirmwareReleases({ releases, zone }: { releases: readonly FirmwareRelease[]; zone: string }) {
  const columns: Column<FirmwareRelease>[] = [
    {
      id: "version",
      header: t("firmware.release.version"),
      renderCell: ({ version, digest }) => (
        <Link href={`/firmware/releases/${digest}`}>
          <strong>{version}</strong>
        </Link>
      ),
    },
    { id: "state", header: t("firmware.release.state"), renderCell: ({ state }) => <ReleaseState state={state} /> },
    {
      id: "hardware",
      header: t("firmware.release.hardware"),
      renderCell: ({ hardware_class: hardware }) => <code title={hardware}>{shortClass(hardware)}</code>,
    },
    { id: "counter", header: t("firmware.release.counter"), isNumber: true, renderCell: ({ security_counter: counter }) => counted(counter) },
    {
      id: "size",
      header: t("firmware.release.size"),
      renderCell: ({ encodings }) => {
        const deltas = encodings.filter(({ base }) => base !== null).length;
        return (
          <span className={styles["stacked"]}>
            {byteSize(encodings[0]?.object_bytes ?? 0)}
            <span>{t("firmware.release.deltas", { count: deltas })}</span>
          </span>
        );
      },
    },
    { id: "signers", header: t("firmware.release.signers"), isNumber: true, renderCell: ({ signers }) => counted(signers.length) },
    { id: "installed", header: t("firmware.release.installed"), isNumber: true, renderCell: ({ installed }) => counted(installed) },
    {
      id: "published",
      header: t("firmware.release.publishedAt"),
      renderCell: ({ published_at, published_by }) => <WhenWho at={published_at} by={published_by} zone={zone} />,
    },
  ];
  return (
    <Table label={t("firmware.release.heading")} columns={columns} rows={releases} rowKey={({ digest }) => digest} rowState={({ state }) => state} />
  );
}

export function ReleaseState({ state }: { state: FirmwareRelease["state"] }) {
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

/** When something was done, and by whom. */
export function WhenWho({ at, by, zone }: { at: string | null; by: string; zone: string }) {
  const time = instantOf(at);
  return (
    <span className={styles["stacked"]}>
      {time === null ? t("firmware.noTime") : <TimeText at={time}>{dateTime(time, zone)}</TimeText>}
      <span>{by}</span>
    </span>
  );
}
