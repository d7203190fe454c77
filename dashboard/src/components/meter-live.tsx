// What one meter measures now: power against its rating, voltage and reactive power, each reading as it comes.

import { useQuery } from "@tanstack/react-query";
import { countsNow } from "../api/meter-state.ts";
import { queries } from "../api/queries.ts";
import { placeInTime } from "../api/reading-order.ts";
import { signatureState } from "../api/signature-state.ts";
import type { Installation, Reading } from "../api/types.ts";
import { electricOf } from "../hooks/meter-queries.ts";
import { useNow } from "../hooks/now.ts";
import { FigureText } from "../ui/figure.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { TickGauge } from "../ui/tick-gauge.tsx";
import { percent, power, powerFigure, reactiveFigure, secondOf, voltageFigure, type Figure } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./meter-live.module.css";

export function MeterLive({ installation }: { installation: Installation }) {
  const records = useQuery(queries.records(installation.id));
  const isPending = records.isPending;
  const newest = records.data?.[0];
  // What was measured before a silence is no longer so.
  const current = newest && countsNow(installation) ? newest : undefined;
  const watts = current?.power_w ?? null;
  const rated = installation.rated_power_w;
  const share = watts === null || !rated ? null : Math.max(0, watts / rated);
  const [electric] = current ? electricOf(current) : [];
  return (
    <section aria-labelledby="meter-now" className={styles["now"]}>
      <h2 id="meter-now" className={styles["heading"]}>
        {t("meter.now.heading")}
      </h2>
      <p className={styles["watts"]} data-testid="meter-power" data-watts={watts ?? undefined} data-none={(!isPending && watts === null) || undefined}>
        {isPending ? <Skeleton width="4.2ch" /> : <PowerText watts={watts} />}
      </p>
      <TickGauge
        share={share}
        label={t("meter.now.gauge")}
        valueText={share === null || !rated ? t("meter.now.none") : t("meter.now.ofRated", { percent: percent(share), rated: power(rated) })}
      />
      <div className={styles["scale"]}>
        <span>{share === null ? "\u00a0" : percent(share)}</span>
        <span>{rated ? t("meter.now.rated", { rated: power(rated) }) : "\u00a0"}</span>
      </div>
      <dl className={styles["values"]}>
        <div>
          <dt>{t("meter.quantity.voltage")}</dt>
          <dd data-testid="meter-voltage">
            {isPending ? <Skeleton width="5ch" /> : <Measured figure={voltageFigure(electric?.volts ?? null)} isLacking={electric?.volts === null} />}
          </dd>
        </div>
        <div>
          <dt>{t("meter.quantity.reactive")}</dt>
          <dd data-testid="meter-reactive">
            {isPending ? <Skeleton width="5ch" /> : <Measured figure={reactiveFigure(electric?.vars ?? null)} isLacking={electric?.vars === null} />}
          </dd>
        </div>
      </dl>
      <Witness newest={newest} zone={knownZone(installation.timezone)} isPending={isPending} />
    </section>
  );
}

/** What a sensor does not measure is in none of its records. */
function Measured({ figure, isLacking }: { figure: Figure; isLacking: boolean }) {
  return isLacking ? <span className={styles["lacking"]}>{t("meter.now.lacking")}</span> : <FigureText figure={figure} />;
}

function PowerText({ watts }: { watts: number | null }) {
  return watts === null ? t("meter.now.none") : <FigureText figure={powerFigure(watts)} />;
}

function Witness({ newest, zone, isPending }: { newest: Reading | undefined; zone: string; isPending: boolean }) {
  const now = useNow(60_000);
  if (!newest) return <p className={styles["witness"]}>{isPending ? "\u00a0" : t("meter.now.none")}</p>;
  const state = signatureState(newest);
  return (
    <p className={styles["witness"]}>
      <span className={styles["mark"]} data-state={state}>
        <Glyph name={state} />
      </span>
      <span data-testid="newest" data-reading={newest.id}>
        {t("meter.now.newest", { time: secondOf(placeInTime(newest) * 1000, now, zone), signature: t(`app.signature.${state}.inline`) })}
      </span>
    </p>
  );
}
