// The meters of a rollout: how far each is, what is in its way, and another try for those that have failed.

import { useState } from "react";
import { Link } from "wouter";
import type { RolloutDetail, RolloutDevice } from "../api/firmware.ts";
import { useRetry } from "../hooks/firmware.ts";
import { useNow } from "../hooks/now.ts";
import { useMay } from "../hooks/session.ts";
import { useUrlState } from "../hooks/url-state.ts";
import { Badge } from "../ui/badge.tsx";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { moment, nothing } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { problemWords } from "./api-problem.tsx";
import { MoreRows } from "./firmware-devices.tsx";
import { WordsText } from "./firmware-text.tsx";
import { failureWords, obstacleWords } from "./firmware-words.ts";
import { FetchedBytes } from "./rollout-bar.tsx";
import { deviceLooks, isOver } from "./rollout-words.ts";
import styles from "./rollout-devices.module.css";

/** Rows that are shown before more are asked for. */
const firstRows = 50;

const filters = ["all", "busy", "waiting", "updated", "failed"] as const;
type Filter = (typeof filters)[number];

const busy = new Set<RolloutDevice["rollout_state"]>(["fetching", "staged", "trial"]);

function fits({ rollout_state: state }: RolloutDevice, filter: Filter): boolean {
  return filter === "all" || filter === state || (filter === "busy" && busy.has(state));
}

export function RolloutDevices({ rollout, devices, zone }: { rollout: RolloutDetail; devices: readonly RolloutDevice[]; zone: string }) {
  const [url, setUrl] = useUrlState(["meters"]);
  const [rows, setRows] = useState(firstRows);
  const now = useNow(60_000);
  const mayRetry = useMay("firmware").allowed && !isOver(rollout.state);
  const retry = useRetry();
  const filter = filters.find((each) => each === url.meters) ?? "all";
  const shown = devices.filter((device) => fits(device, filter));
  const columns: Column<RolloutDevice>[] = [
    { id: "name", header: t("firmware.devices.name"), renderCell: ({ name, meter_id: meter }) => <Link href={`/firmware/devices/${meter}`}>{name}</Link> },
    { id: "wave", header: t("firmware.devices.wave"), isNumber: true, renderCell: ({ wave }) => String(wave) },
    {
      id: "state",
      header: t("firmware.devices.state"),
      renderCell: ({ rollout_state: state }) => <Badge {...deviceLooks[state]}>{t(`firmware.stage.${state}`)}</Badge>,
    },
    {
      id: "fetched",
      header: t("firmware.devices.fetched"),
      renderCell: ({ name, rollout_state: state, done_bytes: done, total_bytes: total, release }) =>
        state !== "updated" && total > 0 && release === rollout.release ? <FetchedBytes name={name} doneBytes={done} totalBytes={total} /> : null,
    },
    {
      id: "why",
      header: t("firmware.devices.obstacle"),
      renderCell: ({ failure, obstacle, rollout_state: state }) =>
        failure !== null ? <WordsText words={failureWords(failure)} /> : obstacle === null || state === "updated" ? null : <WordsText words={obstacleWords(obstacle)} />,
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
  if (mayRetry && shown.some(({ rollout_state: state }) => state === "failed")) {
    columns.push({
      id: "act",
      header: t("firmware.devices.act"),
      renderCell: ({ name, meter_id: meter, rollout_state: state }) =>
        state === "failed" ? (
          <span>
            <button
              type="button"
              className={buttons["button"]}
              aria-label={t("firmware.devices.retryNamed", { name })}
              aria-disabled={retry.isPending}
              onClick={() => {
                if (!retry.isPending) retry.mutate({ id: rollout.id, meter });
              }}
            >
              {t("firmware.devices.retry")}
            </button>
          </span>
        ) : null,
    });
  }
  return (
    <>
      <Choice
        label={t("firmware.devices.filter")}
        options={filters.map((value) => ({ value, label: t(`firmware.filter.${value}`) }))}
        value={filter}
        onChange={(value) => {
          setUrl({ meters: value === "all" ? null : value });
        }}
      />
      {retry.error ? (
        <p className={styles["refused"]} role="alert">
          {problemWords(retry.error).title} {problemWords(retry.error).detail}
        </p>
      ) : null}
      {shown.length === 0 ? (
        <p className={styles["none"]}>{t("firmware.devices.none")}</p>
      ) : (
        <Table
          label={t("firmware.devices.heading")}
          columns={columns}
          rows={shown.slice(0, rows)}
          rowKey={({ meter_id }) => meter_id}
          rowState={({ rollout_state }) => rollout_state}
        />
      )}
      <MoreRows
        shown={Math.min(rows, shown.length)}
        all={shown.length}
        onMore={() => {
          setRows(rows * 4);
        }}
      />
    </>
  );
}
