// The park's energy: today, this month, this year, lifetime.

import type { Installation } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { useParkEnergy, type ParkEnergy as Energy } from "../hooks/park.ts";
import { FigureText } from "../ui/figure.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { energy, energyFigure, month, year } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./park-energy.module.css";

export function ParkEnergy({ installations, zone }: { installations: readonly Installation[] | null; zone: string }) {
  const park = useParkEnergy(installations ?? []);
  const now = useNow(60_000);
  const isPending = installations === null || park.isPending;
  const rows = [
    {
      id: "today",
      label: t("park.energy.today"),
      wattHours: park.today,
      note: averageNote(park),
    },
    { id: "month", label: installations ? month(now, zone) : <Skeleton width="6ch" />, wattHours: park.month, note: t("park.energy.monthNote") },
    { id: "year", label: installations ? year(now, zone) : <Skeleton width="4ch" />, wattHours: park.year, note: t("park.energy.yearNote") },
    {
      id: "lifetime",
      label: t("park.energy.lifetime"),
      wattHours: park.lifetime,
      note: lifetimeNote(park),
    },
  ];
  return (
    <section aria-labelledby="park-energy">
      <h2 id="park-energy" className={styles["heading"]}>
        {t("park.energy.heading")}
      </h2>
      <dl className={styles["rows"]}>
        {rows.map(({ id, label, wattHours, note }) => (
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

function averageNote({ average, meters }: Energy): string {
  if (meters === 0) return "";
  return average === null ? t("park.energy.averageLater") : t("park.energy.average", { energy: energy(average) });
}

/** What is missing or was taken back goes before where the figure is from. */
function lifetimeNote({ failed, corrected, meters }: Energy): string {
  if (failed > 0) return t("park.energy.missing", { count: failed });
  if (corrected) return t("park.energy.corrected", { energy: energy(corrected) });
  return t("park.energy.lifetimeNote", { count: meters });
}
