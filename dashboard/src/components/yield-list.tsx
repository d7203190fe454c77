// Energy of each meter for each kilowatt that it is rated for, best first: what shows a shaded, dirty or faulty plant among its neighbours.

import { Link } from "wouter";
import type { Installation } from "../api/types.ts";
import { useYields, type Yield } from "../hooks/park.ts";
import { useKiosk, useUrlState } from "../hooks/url-state.ts";
import { Choice } from "../ui/choice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { yieldFigure } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./yield-list.module.css";

const orders = ["today", "month"] as const;
type Order = (typeof orders)[number];

/** As many as are seen at once; the rest is asked for. */
const few = 10;

export function YieldList({ installations }: { installations: readonly Installation[] | null }) {
  const { yields, unrated, isPending } = useYields(installations ?? []);
  const kiosk = useKiosk();
  const [{ yield: chosen, yields: extent }, setUrl] = useUrlState(["yield", "yields"]);
  const order: Order = chosen === "month" ? "month" : "today";
  const ranked = yields.toSorted((one, other) => (other[order] ?? -1) - (one[order] ?? -1));
  const shown = extent === "all" && !kiosk ? ranked : ranked.slice(0, few);
  const waits = installations === null || isPending;
  return (
    <section aria-labelledby="yield" data-testid="yields">
      <div className={styles["head"]}>
        <h2 id="yield">{t("park.yield.heading")}</h2>
        {kiosk ? null : (
          <Choice
            label={t("park.yield.order")}
            options={orders.map((value) => ({ value, label: t(`park.yield.${value}`) }))}
            value={order}
            onChange={(value) => {
              setUrl({ yield: value === "today" ? null : value }, { replace: true });
            }}
          />
        )}
      </div>
      <p className={styles["lead"]}>{t("park.yield.lead")}</p>
      <div className={styles["scroll"]}>
        <table className={styles["table"]} aria-labelledby="yield">
          <thead>
            <tr>
              <th scope="col">{t("park.yield.meter")}</th>
              <td>{"\u00a0"}</td>
              {orders.map((each) => (
                <th key={each} scope="col" aria-sort={each === order ? "descending" : undefined}>
                  {t(`park.yield.${each}`)} <span className={styles["unit"]}>{yieldFigure(0).unit}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {waits
              ? Array.from({ length: installations?.length ?? 3 }, (_, place) => <SkeletonRow key={place} />)
              : shown.map((each) => <YieldRow key={each.id} of={each} order={order} best={ranked[0]?.[order] ?? null} isLinked={!kiosk} />)}
          </tbody>
        </table>
      </div>
      {unrated > 0 ? <p className={styles["lead"]}>{t("park.yield.unrated", { count: unrated })}</p> : null}
      {ranked.length > few && !kiosk ? (
        <button
          type="button"
          className={styles["more"]}
          aria-expanded={extent === "all"}
          onClick={() => {
            setUrl({ yields: extent === "all" ? null : "all" }, { replace: true });
          }}
        >
          {extent === "all" ? t("park.yield.few", { count: few }) : t("park.yield.all", { count: ranked.length })}
        </button>
      ) : null}
    </section>
  );
}

function YieldRow({ of, order, best, isLinked }: { of: Yield; order: Order; best: number | null; isLinked: boolean }) {
  const share = best && best > 0 ? Math.max(0, (of[order] ?? 0) / best) : 0;
  return (
    <tr data-testid={`yield-${String(of.id)}`}>
      <th scope="row">{isLinked ? <Link href={`/meters/${String(of.id)}`}>{of.name}</Link> : of.name}</th>
      <td className={styles["bar"]} aria-hidden="true">
        <span style={{ width: `${String(share * 100)}%` }} />
      </td>
      {orders.map((each) => (
        <td key={each} className={styles["value"]} data-chosen={each === order || undefined}>
          {yieldFigure(of[each]).value}
        </td>
      ))}
    </tr>
  );
}

function SkeletonRow() {
  return (
    <tr aria-hidden="true">
      <td>
        <Skeleton width="8rem" />
      </td>
      <td className={styles["bar"]}>{"\u00a0"}</td>
      {orders.map((each) => (
        <td key={each} className={styles["value"]}>
          <Skeleton width="4ch" />
        </td>
      ))}
    </tr>
  );
}
