// The park's power now, large, against what it is rated for, and by whose signature it is known.

import type { Installation } from "../api/types.ts";
import { placeInTime } from "../api/reading-order.ts";
import { signatureState } from "../api/signature-state.ts";
import { useParkPower } from "../hooks/park.ts";
import { FigureText } from "../ui/figure.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { TickGauge } from "../ui/tick-gauge.tsx";
import { clock, joined, percent, power, powerFigure } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./park-power.module.css";

export function ParkPower({ installations, zone }: { installations: readonly Installation[] | null; zone: string }) {
  const park = useParkPower(installations ?? []);
  const isPending = installations === null || park.isPending;
  // The sum of some of the meters is not the park's power: nothing is shown until all have answered.
  const watts = isPending ? null : park.watts;
  const ratedWatts = isPending ? null : park.ratedWatts;
  const newest = isPending ? null : park.newest;
  const figure = powerFigure(watts);
  const share = watts === null || !ratedWatts ? null : Math.max(0, watts / ratedWatts);
  return (
    <section aria-labelledby="park-power" className={styles["park"]}>
      <title>{watts === null ? t("app.product") : t("app.title", { power: joined(figure) })}</title>
      <h1 id="park-power" className={styles["heading"]}>
        {t("park.power.heading")}
      </h1>
      <p
        className={styles["watts"]}
        data-testid="park-power"
        data-watts={watts ?? undefined}
      >
        {isPending ? <Skeleton width="4.2ch" /> : <FigureText figure={figure} />}
      </p>
      <TickGauge
        share={share}
        label={t("park.power.gauge")}
        valueText={share === null || !ratedWatts ? t("park.power.noPower") : t("park.power.ofRated", { percent: percent(share), rated: power(ratedWatts) })}
      />
      <div className={styles["scale"]}>
        <span>{share === null ? "\u00a0" : percent(share)}</span>
        <span>{ratedWatts ? t("park.power.rated", { rated: power(ratedWatts) }) : "\u00a0"}</span>
      </div>
      <p className={styles["witness"]}>
        {newest === null ? (
          <span>{isPending ? "\u00a0" : t("park.power.noPower")}</span>
        ) : (
          <>
            <span className={styles["mark"]} data-state={signatureState(newest)}>
              <Glyph name={signatureState(newest)} />
            </span>
            <span data-testid="newest" data-reading={newest.id}>
              {t("park.power.newest", { time: clock(placeInTime(newest) * 1000, zone), signature: t(`app.signature.${signatureState(newest)}.inline`) })}
            </span>
            <span className={styles["reporting"]}>{park.counted === park.active ? t("park.power.allMeters", { count: park.active }) : t("park.power.meters", { counted: park.counted, all: park.active })}</span>
          </>
        )}
      </p>
    </section>
  );
}
