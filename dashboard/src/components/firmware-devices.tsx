// How each meter is with its firmware: what it runs, how far it is with an update, and what is in its way.

import { useState } from "react";
import { Link } from "wouter";
import { devicesListed, type FirmwareDevice } from "../api/firmware.ts";
import { useNow } from "../hooks/now.ts";
import { Badge } from "../ui/badge.tsx";
import buttons from "../ui/button.module.css";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { counted, moment, nothing } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { WordsText } from "./firmware-text.tsx";
import { obstacleWords, updateLooks, updateStateText } from "./firmware-words.ts";
import { FetchedBytes } from "./rollout-bar.tsx";
import styles from "./firmware-table.module.css";

/** Rows that are shown before more are asked for. */
const firstRows = 25;

export function FirmwareDevices({ devices, zone }: { devices: readonly FirmwareDevice[]; zone: string }) {
  const [rows, setRows] = useState(firstRows);
  const now = useNow(60_000);
  const columns: Column<FirmwareDevice>[] = [
    { id: "name", header: t("firmware.devices.name"), renderCell: ({ name, meter_id: meter }) => <Link href={`/firmware/devices/${meter}`}>{name}</Link> },
    { id: "runs", header: t("firmware.devices.runs"), renderCell: ({ running_version: version }) => version ?? t("firmware.running.noBoot") },
    { id: "state", header: t("firmware.devices.state"), renderCell: (device) => <DeviceState device={device} /> },
    {
      id: "progress",
      header: t("firmware.devices.fetched"),
      renderCell: ({ name, done_bytes: done, total_bytes: total }) => (total === 0 ? null : <FetchedBytes name={name} doneBytes={done} totalBytes={total} />),
    },
    {
      id: "obstacle",
      header: t("firmware.devices.obstacle"),
      renderCell: ({ obstacle }) => (obstacle === null ? null : <WordsText words={obstacleWords(obstacle)} />),
    },
    {
      id: "asked",
      header: t("firmware.devices.asked"),
      renderCell: ({ asked_at }) => {
        const asked = instantOf(asked_at);
        return asked === null ? nothing : <TimeText at={asked}>{moment(asked, now, zone)}</TimeText>;
      },
    },
  ];
  return (
    <>
      <Table label={t("firmware.devices.heading")} columns={columns} rows={devices.slice(0, rows)} rowKey={({ meter_id }) => meter_id} />
      <MoreRows
        shown={Math.min(rows, devices.length)}
        all={devices.length}
        onMore={() => {
          setRows(rows * 4);
        }}
      />
    </>
  );
}

export function DeviceState({ device: { state, version } }: { device: Pick<FirmwareDevice, "state" | "version"> }) {
  if (state === null) return t("firmware.devices.neverAsked");
  const text = updateStateText(state);
  return <Badge {...updateLooks[state]}>{version === null || state === "idle" ? text : t("firmware.devices.stateOf", { state: text, version })}</Badge>;
}

/** How many rows of a list are seen, and the way to more. */
export function MoreRows({ shown, all, onMore }: { shown: number; all: number; onMore: () => void }) {
  if (shown >= all && all < devicesListed) return null;
  return (
    <div className={styles["more"]}>
      <p>{t(all < devicesListed ? "firmware.devices.shown" : "firmware.devices.shownFirst", { shown: counted(shown), all: counted(all) })}</p>
      {shown >= all ? null : (
        <button type="button" className={buttons["button"]} onClick={onMore}>
          {t("firmware.devices.more")}
        </button>
      )}
    </div>
  );
}
