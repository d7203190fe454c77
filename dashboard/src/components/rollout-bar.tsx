// How far a rollout or a meter is, drawn: a bar in parts with its legend, and the bytes that a meter has fetched.

import type { RolloutCounts } from "../api/firmware.ts";
import { byteSize, counted, percent } from "../util/format.ts";
import { t } from "../util/text.ts";
import { fetchedPercent, metersOf, stages } from "./rollout-progress.ts";
import styles from "./rollout-bar.module.css";

/** The legend, or the words beside it, say what it shows. */
export function RolloutBar({ counts, slim = false }: { counts: RolloutCounts; slim?: boolean }) {
  const label = stages.filter((stage) => counts[stage] > 0).map((stage) => `${t(`firmware.stage.${stage}`)}: ${counted(counts[stage])}`);
  return (
    <div className={styles["bar"]} data-slim={slim || undefined} role="img" aria-label={label.join(", ") || t("firmware.stage.none")}>
      {metersOf(counts) === 0
        ? null
        : stages
            .filter((stage) => counts[stage] > 0)
            .map((stage) => <span key={stage} className={styles["part"]} data-stage={stage} style={{ flexGrow: counts[stage], flexBasis: 0 }} />)}
    </div>
  );
}

/** All stages, those with nobody too: so it keeps its place while meters go on. */
export function RolloutLegend({ counts }: { counts: RolloutCounts }) {
  return (
    <dl className={styles["legend"]} data-testid="rollout-counts">
      {stages.map((stage) => (
        <div key={stage}>
          <dt>
            <span className={styles["key"]} data-stage={stage} />
            {t(`firmware.stage.${stage}`)}
          </dt>
          <dd data-stage={stage}>{counted(counts[stage])}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What a meter has fetched, in percent and bytes; nothing when it is at no release. */
export function FetchedBytes({ name, doneBytes, totalBytes }: { name: string; doneBytes: number; totalBytes: number }) {
  const share = fetchedPercent({ done_bytes: doneBytes, total_bytes: totalBytes });
  if (share === null) return null;
  const text = percent(share / 100);
  return (
    <span className={styles["fetched"]}>
      <progress aria-label={t("firmware.devices.fetchedOf", { name })} max={100} value={share} />
      <span>{text}</span>
      <span className={styles["bytes"]}>{t("firmware.devices.bytes", { done: byteSize(doneBytes), total: byteSize(totalBytes) })}</span>
    </span>
  );
}
