// The waves of a rollout beside each other: how large each is, how it is, and how its meters are.

import type { RolloutWave } from "../api/firmware.ts";
import { Badge } from "../ui/badge.tsx";
import { counted } from "../util/format.ts";
import { t } from "../util/text.ts";
import { RolloutBar } from "./rollout-bar.tsx";
import { stages } from "./rollout-progress.ts";
import { waveLooks } from "./rollout-words.ts";
import styles from "./rollout-waves.module.css";

export function RolloutWaves({ waves, current }: { waves: readonly RolloutWave[]; current: number }) {
  return (
    <ol className={styles["waves"]}>
      {waves.map((wave) => (
        <li key={wave.number} className={styles["wave"]} data-testid="wave" data-state={wave.state} aria-current={wave.number === current ? "step" : undefined}>
          <p className={styles["head"]}>
            <strong>{t("firmware.waves.number", { number: String(wave.number) })}</strong>
            <span>{t("firmware.waves.meters", { count: wave.meters })}</span>
          </p>
          <RolloutBar counts={wave.counts} />
          <p className={styles["state"]}>
            <Badge {...waveLooks[wave.state]}>{t(`firmware.wave.${wave.state}`)}</Badge>
          </p>
          {wave.state === "waiting" ? null : (
            <ul className={styles["counts"]}>
              {stages
                .filter((stage) => wave.counts[stage] > 0)
                .map((stage) => (
                  <li key={stage} data-stage={stage}>
                    {t("firmware.waves.count", { count: counted(wave.counts[stage]), stage: t(`firmware.stage.${stage}`) })}
                  </li>
                ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  );
}
