// What makes a page one for a wall: larger type, a bar without controls, no cursor, a screen that stays on, and nothing that stands still for years.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { queries } from "../api/queries.ts";
import { useNow } from "../hooks/now.ts";
import { parkZone } from "../hooks/park.ts";
import { keepAwake, hideIdleCursor } from "../hooks/wall-screen.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { hourMinute } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./kiosk-screen.module.css";
import { StreamBadge } from "./page-header.tsx";

/** Where the page moves to, a few pixels each minute, so that no edge burns in. */
const drift = [
  [0, 0],
  [3, 1],
  [4, 4],
  [1, 3],
  [-2, 4],
  [-4, 1],
  [-3, -2],
  [0, -3],
] as const;

/** The bar of a wall screen. While it stands the whole page is one for a wall. */
export function KioskScreen() {
  const now = useNow(60_000);
  const { data } = useQuery({ ...queries.installations(), enabled: false });
  const place = drift[Math.floor(now / 60_000) % drift.length] ?? drift[0];
  useEffect(() => {
    const { dataset } = document.documentElement;
    dataset["kiosk"] = "";
    const ends = [keepAwake(), hideIdleCursor()];
    return () => {
      delete dataset["kiosk"];
      for (const end of ends) end();
    };
  }, []);
  useEffect(() => {
    document.documentElement.style.setProperty("--kiosk-drift", `${String(place[0])}px ${String(place[1])}px`);
  }, [place]);
  useReloadForNewVersion();
  return (
    <header className={styles["bar"]} data-testid="kiosk">
      <p className={styles["name"]}>
        <span className={styles["mark"]}>
          <Glyph name="wordmark" size={24} />
        </span>
        {t("app.product")}
      </p>
      <p className={styles["clock"]}>{data ? hourMinute(now, parkZone(data)) : "\u00a0"}</p>
      <StreamBadge />
    </header>
  );
}

/** Nobody reloads a wall screen: it takes the dashboard of a new gateway by itself. */
function useReloadForNewVersion(): void {
  const version = useQuery(queries.session()).data?.version;
  const first = useRef<string | null>(null);
  useEffect(() => {
    if (version === undefined) return;
    first.current ??= version;
    if (first.current !== version) location.reload();
  }, [version]);
}

/** Stands in the place of the page when this screen may not read it any more. It asks every minute whether it may again. */
export function KioskLocked({ reason }: { reason: string }) {
  useQuery({ ...queries.session(), refetchInterval: 60_000 });
  return <Notice title={t("app.kiosk.locked")} detail={`${reason} ${t("app.kiosk.lockedDetail", { address: `${location.origin}/login` })}`} large />;
}
