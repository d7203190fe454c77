// Says that the page is cut off, what its figures are worth, and when it tries again. It lies over the page, so that nothing moves.

import { useLiveStream } from "../hooks/live-stream.ts";
import { useNow } from "../hooks/now.ts";
import { useKiosk } from "../hooks/url-state.ts";
import { clock, duration } from "../util/format.ts";
import { t } from "../util/text.ts";
import buttons from "../ui/button.module.css";
import styles from "./connection-banner.module.css";

/** A gateway that restarts is back before anybody could read a banner. */
const patience = 2_000;

export function ConnectionBanner({ zone }: { zone: string }) {
  const { lostAt } = useLiveStream();
  return lostAt === null ? null : <Lost lostAt={lostAt} zone={zone} />;
}

function Lost({ lostAt, zone }: { lostAt: number; zone: string }) {
  const { heardAt, retryAt, retry } = useLiveStream();
  const now = useNow(1000);
  const kiosk = useKiosk();
  if (now - lostAt < patience) return null;
  const since = heardAt === null ? null : clock(heardAt, zone);
  let title: string;
  if (since === null) title = t(navigator.onLine ? "app.stream.bannerNever" : "app.stream.bannerNeverOffline");
  else title = navigator.onLine ? t("app.stream.bannerLost", { time: since }) : t("app.stream.bannerOffline", { time: since });
  return (
    <div className={styles["banner"]} data-testid="banner">
      <p role="alert">{title}</p>
      <p className={styles["next"]}>
        {retryAt === null ? t("app.stream.retrying") : t("app.stream.retryIn", { duration: duration(retryAt - now) })}
      </p>
      {kiosk ? null : (
        <button type="button" className={buttons["button"]} onClick={retry} disabled={retryAt === null}>
          {t("app.stream.tryNow")}
        </button>
      )}
    </div>
  );
}
