// What one meter has produced: today, this month, this year and ever, with what signed corrections took back said beside it.

import type { ReactNode } from "react";
import type { Energy, Installation } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { useEnergyOf } from "../hooks/park.ts";
import { FigureText } from "../ui/figure.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { energy, energyFigure, month, periodName } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { periodAt } from "../util/period.ts";
import { t } from "../util/text.ts";
import styles from "./meter-totals.module.css";

export function MeterTotals({ installation }: { installation: Installation }) {
  const { data, isError, isPending, refetch } = useEnergyOf(installation.id);
  const zone = knownZone(installation.timezone);
  const now = useNow(60_000);
  if (isError && !data) {
    return <Notice title={t("meter.totals.failed")} action={t("app.problem.retry")} onAction={() => void refetch()} />;
  }
  const year = periodAt("year", now, zone);
  const average = data?.average_7d_wh ?? null;
  const rows: { id: string; label: string; note: ReactNode; wattHours: number | null }[] = [
    {
      id: "today",
      label: t("meter.totals.today"),
      note: average === null ? t("meter.totals.averageLater") : t("meter.totals.average", { energy: energy(average) }),
      wattHours: data?.today_wh ?? null,
    },
    { id: "month", label: month(now, zone), note: t("meter.totals.monthNote"), wattHours: data?.month_wh ?? null },
    { id: "year", label: periodName("year", year.start, year.end, zone), note: t("meter.totals.yearNote"), wattHours: data?.year_wh ?? null },
    {
      id: "lifetime",
      label: t("meter.totals.lifetime"),
      note: data ? lifetimeNote(data, installation) : null,
      wattHours: data ? data.lifetime_wh - data.corrected_wh : null,
    },
  ];
  return (
    <section aria-labelledby="meter-totals">
      <h2 id="meter-totals" className={styles["heading"]}>
        {t("meter.totals.heading")}
      </h2>
      <dl className={styles["rows"]}>
        {rows.map(({ id, label, note, wattHours }) => (
          <div key={id} className={styles["row"]}>
            <dt>
              {label}
              <span className={styles["note"]}>{isPending ? "\u00a0" : note}</span>
            </dt>
            <dd data-testid={`energy-${id}`} data-watt-hours={wattHours ?? undefined}>
              {isPending ? <Skeleton width="4.5ch" /> : <FigureText figure={energyFigure(wattHours)} />}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function lifetimeNote({ lifetime_wh, corrected_wh: corrected, overlap_wh: overlap }: Energy, { replaces }: Installation): string {
  const notes = [
    corrected > 0 ? t("meter.totals.corrected", { energy: energy(corrected), before: energy(lifetime_wh) }) : null,
    overlap > 0 ? t("meter.totals.overlap", { energy: energy(overlap) }) : null,
    replaces === null ? null : t("meter.totals.replaces"),
  ].filter((note) => note !== null);
  return notes.length === 0 ? t("meter.totals.uncorrected") : notes.join(" ");
}
