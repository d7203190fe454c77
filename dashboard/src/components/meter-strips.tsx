// Today's curve of every meter, one strip under the other on the same hours, each with its state and its figures. A park of many has lower strips and an order.

import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { isInService, meterStateName, type MeterStateName } from "../api/meter-state.ts";
import type { Installation } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { useKiosk, useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { day } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { languageTag, t } from "../util/text.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { MeterStrip } from "./meter-strip.tsx";
import styles from "./meter-strips.module.css";

// Few want the figures.
const MeterTable = lazy(async () => ({ default: (await import("./meter-table.tsx")).MeterTable }));

/** From so many meters on one looks for one of them instead of at all of them. */
const many = 20;

/** From so many on an order is worth a choice. */
const several = 6;

export function MeterStrips({ installations, zone }: { installations: readonly Installation[] | null; zone: string }) {
  const now = useNow(60_000);
  const kiosk = useKiosk();
  // Where the pointer is on any of the strips: all of them show their value at that time.
  const [cursor, setCursor] = useState<number | null>(null);
  const [hasBand, setHasBand] = useState(false);
  const onBand = useCallback(() => {
    setHasBand(true);
  }, []);
  const [{ sort, table }, setUrl] = useUrlState(["sort", "table"]);
  const isTable = table !== null && !kiosk;
  const order = orders.find((each) => each === sort) ?? "place";
  const sorted = useMemo(() => inOrder(installations ?? [], order), [installations, order]);
  const names = useMemo(() => new Map(installations?.map(({ id, name }) => [id, name])), [installations]);
  const turn = useNow(turnMs) / turnMs;
  const wall = kiosk ? wallPage(sorted, turn) : null;
  const oneZone = installations?.every(({ timezone }) => knownZone(timezone) === zone) ?? true;
  return (
    <section aria-labelledby="meters" className={styles["meters"]}>
      <div className={styles["head"]}>
        <h2 id="meters">{installations ? t("park.meters.heading", { day: day(now, zone) }) : <Skeleton width="14ch" />}</h2>
        {installations && installations.length >= several && !kiosk ? (
          <Choice
            label={t("park.meters.order")}
            options={orders.map((value) => ({ value, label: t(`park.meters.by.${value}`) }))}
            value={order}
            onChange={(value) => {
              setUrl({ sort: value === "place" ? null : value }, { replace: true });
            }}
          />
        ) : null}
        {kiosk ? null : (
          <button
            type="button"
            className={buttons["button"]}
            aria-pressed={isTable}
            onClick={() => {
              setUrl({ table: isTable ? null : "1" }, { replace: true });
            }}
          >
            <Glyph name="table" size={16} />
            {t("park.meters.table")}
          </button>
        )}
        <p className={styles["zone"]}>
          {hasBand ? (
            <span className={styles["band"]} title={t("park.meters.clearSkyExplain")} data-testid="clear-sky">
              {t("park.meters.clearSky")}
            </span>
          ) : null}
          {wall && wall.count > wall.meters.length ? (
            <span>{t("park.meters.page", { first: wall.first + 1, last: wall.first + wall.meters.length, count: wall.count })}</span>
          ) : null}
          <span>{!installations ? <Skeleton width="16ch" /> : oneZone ? t("park.meters.zone", { zone: zone.replaceAll("_", " ") }) : t("park.meters.zones")}</span>
        </p>
      </div>
      {isTable && installations ? (
        <ErrorBoundary>
          <Suspense fallback={<Skeleton width="100%" height="14rem" />}>
            <MeterTable installations={sorted} zone={zone} />
          </Suspense>
        </ErrorBoundary>
      ) : null}
      {installations === null ? (
        <SkeletonStrips />
      ) : (
        <ol
          className={styles["strips"]}
          data-few={installations.length < 3 || undefined}
          data-many={installations.length >= many || undefined}
        >
          {(wall?.meters ?? sorted).map((installation) => (
            <MeterStrip
              key={installation.id}
              installation={installation}
              successor={installation.replaced_by === null ? null : (names.get(installation.replaced_by) ?? null)}
              isOneOfMany={installations.length >= many}
              cursor={cursor}
              onCursor={setCursor}
              onBand={onBand}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

const orders = ["place", "name", "state", "rated"] as const;
type Order = (typeof orders)[number];

/** What needs somebody goes first. */
const attention: readonly MeterStateName[] = ["silent", "late", "never", "waiting", "live", "revoked", "replaced"];

function inOrder(installations: readonly Installation[], order: Order): readonly Installation[] {
  const byName = new Intl.Collator(languageTag(), { numeric: true });
  switch (order) {
    case "place":
      return installations;
    case "name":
      return installations.toSorted((one, other) => byName.compare(one.name, other.name));
    case "state":
      return installations.toSorted((one, other) => attention.indexOf(meterStateName(one)) - attention.indexOf(meterStateName(other)));
    case "rated":
      return installations.toSorted((one, other) => (other.rated_power_w ?? 0) - (one.rated_power_w ?? 0));
  }
}

/** How many strips a wall screen has room for, and how long it shows these before it turns to the next. */
const onWall = 5;
const turnMs = 20_000;

/** The meters in service that a wall screen shows at this turn: as many on each page, as far as they go. */
function wallPage(installations: readonly Installation[], turn: number) {
  const all = installations.filter(isInService);
  const pages = Math.max(1, Math.ceil(all.length / onWall));
  const size = Math.ceil(all.length / pages);
  const first = (turn % pages) * size;
  return { meters: all.slice(first, first + size), first, count: all.length };
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
