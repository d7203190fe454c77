// Today's energy of every meter by the hour, as a table beside the curves: for those who do not see them, and for those who want the figures.

import { useQueries } from "@tanstack/react-query";
import { beganAt, meterStateName } from "../api/meter-state.ts";
import type { Installation } from "../api/types.ts";
import { meterQueries } from "../hooks/meter-queries.ts";
import { useNow } from "../hooks/now.ts";
import { ChartTable } from "../ui/chart-table.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { drawnBars, type EnergyBar } from "../util/bars.ts";
import { barFullName, day, energy } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { periodAt } from "../util/period.ts";
import { t } from "../util/text.ts";
import styles from "./meter-table.module.css";

/** A table of more columns is read by nobody, and each is a request. */
const columnsShown = 20;

export function MeterTable({ installations, zone }: { installations: readonly Installation[]; zone: string }) {
  const now = useNow(60_000);
  const measuring = installations.filter((installation) => !["waiting", "replaced"].includes(meterStateName(installation)));
  const shown = measuring.slice(0, columnsShown);
  const charts = useQueries({
    queries: shown.map(({ id, timezone }) => ({
      ...meterQueries.energy(id, periodAt("day", now, knownZone(timezone))),
      // What was fetched before stays when it cannot be fetched again.
      throwOnError: (_: Error, { state }: { state: { data: unknown } }) => state.data === undefined,
    })),
  });
  const caption = t("park.meters.tableCaption", { day: day(now, zone) });
  if (charts.some(({ isPending }) => isPending)) return <Skeleton width="100%" height="14rem" />;
  const meters = shown.map((installation, place) => ({ installation, bars: charts[place]?.data?.chart.data_points ?? [] }));
  return (
    // What scrolls must be within the keyboard's reach.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles["table"]} role="region" aria-label={caption} tabIndex={0} data-testid="meter-table">
      <ChartTable
        caption={caption}
        columns={[t("park.meters.tableHour"), ...shown.map(({ name }) => name)]}
        rows={hourRows(meters, now)}
        showAllLabel={t("park.meters.table")}
        emptyLabel={t("park.meters.empty")}
      />
      {measuring.length > shown.length ? <p className={styles["few"]}>{t("park.meters.tableFew", { count: shown.length })}</p> : null}
    </div>
  );
}

interface HourlyMeter {
  installation: Installation;
  bars: readonly EnergyBar[];
}

/** A row for each hour of the day, by what the site's clock shows: its name, then the energy of each meter. */
export function hourRows(meters: readonly HourlyMeter[], now: number): string[][] {
  const begins = new Map<string, number>();
  const columns = meters.map(({ installation, bars }) => {
    const zone = knownZone(installation.timezone);
    const dayStarts = bars[0]?.timestamp ?? 0;
    const drawn = drawnBars(bars, { now: now / 1000, since: beganAt(installation), others: null, arrived: [] });
    return new Map(
      drawn.map(({ from, to, value }) => {
        const name = barFullName("day", from * 1000, to * 1000, zone, bars.length !== 24);
        if (!begins.has(name)) begins.set(name, from - dayStarts);
        return [name, energy(value)];
      }),
    );
  });
  const names = Array.from(begins.keys()).toSorted((one, other) => (begins.get(one) ?? 0) - (begins.get(other) ?? 0));
  return names.map((name) => [name].concat(columns.map((column) => column.get(name) ?? energy(null))));
}
