// The park's energy: today, this month, lifetime.

import type { Installation } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { useParkEnergy, type ParkEnergy as Energy } from "../hooks/park.ts";
import { FigureText } from "../ui/figure.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { energy, energyFigure, month } from "../util/format.ts";
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
    { id: "month", label: month(now, zone), wattHours: park.month, note: t("park.energy.monthNote") },
    {
      id: "lifetime",
      label: t("park.energy.lifetime"),
      wattHours: park.lifetime,
      note: park.failed > 0 ? t("park.energy.missing", { count: park.failed }) : t("park.energy.lifetimeNote", { count: park.meters }),
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
