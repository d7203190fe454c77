// Today's curve of every meter, one strip under the other on the same hours, each with its state and its figures.

import { useState } from "react";
import type { Installation } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { day } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { MeterStrip } from "./meter-strip.tsx";
import styles from "./meter-strips.module.css";

export function MeterStrips({ installations, zone }: { installations: readonly Installation[] | null; zone: string }) {
  const now = useNow(60_000);
  // Where the pointer is on any of the strips: all of them show their value at that time.
  const [cursor, setCursor] = useState<number | null>(null);
  const oneZone = installations?.every(({ timezone }) => knownZone(timezone) === zone) ?? true;
  return (
    <section aria-labelledby="meters">
      <div className={styles["head"]}>
        <h2 id="meters">{t("park.meters.heading", { day: day(now, zone) })}</h2>
        <p className={styles["zone"]}>{oneZone ? t("park.meters.zone", { zone: zone.replaceAll("_", " ") }) : t("park.meters.zones")}</p>
      </div>
      {installations === null ? (
        <SkeletonStrips />
      ) : (
        <ol className={styles["strips"]} data-few={installations.length < 3 || undefined}>
          {installations.map((installation) => (
            <MeterStrip key={installation.id} installation={installation} cursor={cursor} onCursor={setCursor} />
          ))}
        </ol>
      )}
    </section>
  );
}

function SkeletonStrips() {
  return (
    <div className={styles["strips"]} aria-hidden="true">
      {[0, 1, 2].map((place) => (
        <div key={place} className={styles["placeholder"]}>
          <Skeleton width="9rem" />
        </div>
      ))}
    </div>
  );
}
