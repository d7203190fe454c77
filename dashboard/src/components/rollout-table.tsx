// All rollouts: what goes where, how far it is, how it is and why.

import { Link } from "wouter";
import type { Rollout } from "../api/types.ts";
import { Badge } from "../ui/badge.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { counted, percent } from "../util/format.ts";
import { t } from "../util/text.ts";
import { WhenWho } from "./firmware-releases.tsx";
import { WordsText } from "./firmware-text.tsx";
import { RolloutBar } from "./rollout-bar.tsx";
import { updatedPercent } from "./rollout-progress.ts";
import { reasonWords, rolloutLooks } from "./rollout-words.ts";
import styles from "./firmware-table.module.css";

export function RolloutTable({ rollouts, zone }: { rollouts: readonly Rollout[]; zone: string }) {
  const columns: Column<Rollout>[] = [
    {
      id: "name",
      header: t("firmware.rollouts.name"),
      renderCell: ({ id, name }) => (
        <Link href={`/firmware/rollouts/${String(id)}`}>
          <strong>{name}</strong>
        </Link>
      ),
    },
    { id: "version", header: t("firmware.release.version"), renderCell: ({ version, release }) => <Link href={`/firmware/releases/${release}`}>{version}</Link> },
    { id: "state", header: t("firmware.rollouts.state"), renderCell: ({ state }) => <Badge {...rolloutLooks[state]}>{t(`firmware.rollout.${state}`)}</Badge> },
    {
      id: "progress",
      header: t("firmware.rollouts.progress"),
      renderCell: ({ counts, meters }) => (
        <span className={styles["bar"]}>
          <RolloutBar counts={counts} slim />
          <span>{t("firmware.rollouts.updatedOf", { updated: counted(counts.updated), meters: counted(meters), percent: percent(updatedPercent(counts) / 100) })}</span>
        </span>
      ),
    },
    { id: "reason", header: t("firmware.rollouts.reason"), renderCell: (rollout) => <WordsText words={reasonWords(rollout)} /> },
    {
      id: "begun",
      header: t("firmware.rollouts.begun"),
      renderCell: ({ created_at, created_by }) => <WhenWho at={created_at} by={created_by} zone={zone} />,
    },
  ];
  return <Table label={t("firmware.rollouts.heading")} columns={columns} rows={rollouts} rowKey={({ id }) => id} rowState={({ state }) => state} />;
}
