// Who did what to a rollout, and what it decided itself, newest first.

import type { RolloutDetail } from "../api/firmware.ts";
import { TimeText } from "../ui/time-text.tsx";
import { dateTimeSeconds, fingerprint } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { actionText, named } from "./audit-words.ts";
import { WordsText } from "./firmware-text.tsx";
import { stepWords } from "./rollout-words.ts";
import styles from "./installation-history.module.css";

interface RolloutStepsProps {
  rollout: RolloutDetail;
  /** The name of a meter, by its id. */
  names: ReadonlyMap<string, string>;
  zone: string;
}

export function RolloutSteps({ rollout, names, zone }: RolloutStepsProps) {
  return (
    <ol>
      {rollout.steps.map((step, place) => {
        const at = instantOf(step.time);
        const words = stepWords(step, (meter) => names.get(meter) ?? fingerprint(meter));
        const action = actionText(step.action);
        return (
          <li key={`${String(rollout.steps.length - place)} ${step.action}`} className={styles["entry"]} data-testid="rollout-step" data-action={step.action}>
            <p className={styles["what"]}>
              <strong>{named(step.actor, []).text}</strong>
              <span lang={action === step.action ? "en" : undefined}>{action}</span>
            </p>
            {words ? (
              <p>
                <WordsText words={words} />
              </p>
            ) : null}
            <p className={styles["who"]}>{at === null ? t("firmware.noTime") : <TimeText at={at}>{dateTimeSeconds(at, zone)}</TimeText>}</p>
          </li>
        );
      })}
    </ol>
  );
}
