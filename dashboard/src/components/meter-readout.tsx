// The figures over a meter's chart: what was produced in the period, beside what it is compared with, and what the chart says where the cursor is. They
// stand in fixed places, so that nothing moves with the pointer.

import type { MeterView } from "../hooks/meter-view.ts";
import { FigureText } from "../ui/figure.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { changeOf } from "../util/bars.ts";
import { change, energy, energyFigure } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./meter-readout.module.css";

interface MeterReadoutProps {
  view: MeterView;
  zone: string;
  total: number | null;
  otherTotal: number | null;
  /** Null when nothing is compared with. */
  otherName: string | null;
  isPending: boolean;
  /** Where the cursor is, in words; null when it is nowhere. */
  at: string | null;
  value: string | null;
  otherValue: string | null;
}

export function MeterReadout({ view, total, otherTotal, otherName, isPending, at, value, otherValue }: MeterReadoutProps) {
  const changed = changeOf(total, otherTotal, view.period.start === view.current.start);
  return (
    <div className={styles["readout"]}>
      <div>
        <p className={styles["label"]}>{t(`meter.produced.${view.span}`)}</p>
        <p className={styles["total"]} data-testid="produced" data-watt-hours={total ?? undefined}>
          {isPending ? <Skeleton width="5ch" /> : <FigureText figure={energyFigure(total)} />}
        </p>
        {otherName === null ? null : (
          <p className={styles["compared"]} data-testid="compared" data-watt-hours={otherTotal ?? undefined}>
            <span className={styles["key"]} data-kind={view.quantity === "energy" ? "bar" : "line"} aria-hidden="true" />
            <span>
              {changed === null
                ? t("meter.compare.with", { name: otherName, energy: energy(otherTotal) })
                : t("meter.compare.change", { name: otherName, energy: energy(otherTotal), change: change(changed) })}
            </span>
          </p>
        )}
      </div>
      <dl className={styles["at"]} data-testid="readout" data-shown={at !== null || undefined}>
        <dt className={styles["label"]}>{at ?? "\u00a0"}</dt>
        <dd className={styles["value"]}>{value ?? "\u00a0"}</dd>
        {otherName === null ? null : <dd className={styles["other"]}>{otherValue ?? "\u00a0"}</dd>}
      </dl>
    </div>
  );
}
