// Energy and power of one meter through any hour, day, week, month or year. What it shows, the address says; it arranges the parts and asks for their
// data.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { beganAt } from "../api/meter-state.ts";
import type { Installation } from "../api/types.ts";
import { counterpartOf, useCurves, useEnergyBars } from "../hooks/meter-chart.ts";
import { meterQueries } from "../hooks/meter-queries.ts";
import { useMeterView } from "../hooks/meter-view.ts";
import { useNow } from "../hooks/now.ts";
import { useClearSky } from "../hooks/park.ts";
import { useKiosk } from "../hooks/url-state.ts";
import { Notice } from "../ui/notice.tsx";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { MeterBars } from "./meter-bars.tsx";
import { MeterCurve } from "./meter-curve.tsx";
import { marksOf } from "./meter-marks.ts";
import { MeterPeriod } from "./meter-period.tsx";
import type { ShownProps } from "./meter-shown.ts";
import styles from "./meter-chart.module.css";

export function MeterChart({ installation, all }: { installation: Installation; all: readonly Installation[] }) {
  const zone = knownZone(installation.timezone);
  const now = useNow(10_000);
  const view = useMeterView(zone, now);
  const since = beganAt(installation);
  const counterpart = useMemo(
    () => counterpartOf(view.compare, installation, all, view.period),
    [view.compare, installation, all, view.period],
  );
  const shown: ShownProps = { installation, all, view, zone, now, since, counterpart };
  return (
    <section aria-labelledby="meter-chart" data-testid="meter-chart" data-span={view.span} data-date={view.period.date} data-quantity={view.quantity}>
      <h2 id="meter-chart" className="visually-hidden">
        {t("meter.chart.heading")}
      </h2>
      <MeterPeriod installation={installation} view={view} zone={zone} now={now} />
      {view.quantity === "energy" ? <Bars {...shown} /> : <Curve {...shown} />}
    </section>
  );
}

/** What happened in the period, along the axis of time. It is told to whoever points at it, which nobody does on a wall screen. */
function useMarks({ installation, view, zone, now }: ShownProps) {
  const enabled = !useKiosk();
  const marks = useQuery({ ...meterQueries.marks(installation.id, view.period), enabled }).data;
  return useMemo(() => marksOf(marks ?? [], now, zone), [marks, now, zone]);
}

function Bars(props: ShownProps) {
  const { installation, view, counterpart, since, now } = props;
  const energy = useEnergyBars(installation, view, counterpart, since, now);
  const marks = useMarks(props);
  const [cursor, setCursor] = useState<number | null>(null);
  if (energy.error) return <Failed retry={energy.retry} />;
  return (
    <div className={styles["shown"]} data-old={energy.isOld || undefined}>
      <MeterBars {...props} energy={energy} marks={marks} cursor={cursor} onCursor={setCursor} />
    </div>
  );
}

function Curve(props: ShownProps) {
  const { installation, view, counterpart, since, now } = props;
  const curves = useCurves(installation, view, counterpart, since, now);
  const energy = useEnergyBars(installation, view, counterpart, since, now);
  const isPower = view.quantity === "power";
  const band = useClearSky(installation, view.period, isPower);
  const marks = useMarks(props);
  const [cursor, setCursor] = useState<number | null>(null);
  if (curves.error) return <Failed retry={curves.retry} />;
  return (
    <div className={styles["shown"]} data-old={curves.isOld || undefined}>
      <MeterCurve {...props} curves={curves} energy={energy} band={isPower ? band : null} marks={marks} cursor={cursor} onCursor={setCursor} />
    </div>
  );
}

function Failed({ retry }: { retry: () => void }) {
  return (
    <div className={styles["failed"]}>
      <Notice title={t("meter.chart.failed")} detail={t("meter.chart.failedDetail")} action={t("app.problem.retry")} onAction={retry} />
    </div>
  );
}
