// A park without meters: the three commands that bring in the first.

import { CopyButton } from "../ui/copy-button.tsx";
import { t } from "../util/text.ts";
import styles from "./empty-park.module.css";

const steps = ["key", "meter", "approve"] as const;

const commands: Readonly<Record<(typeof steps)[number], (origin: string) => string>> = {
  key: () => "wattwitness keys new meter.key",
  meter: (origin) => `wattwitness meter --shelly http://192.168.1.50 --gateway ${origin} --key meter.key`,
  approve: (origin) => `wattwitness enrol --gateway ${origin} --api-key-file data/admin.key --meter ID --rated-power-w 800`,
};

export function EmptyPark() {
  return (
    <section aria-labelledby="empty" className={styles["empty"]} data-testid="empty">
      <h1 id="empty">{t("park.empty.heading")}</h1>
      <p className={styles["lead"]}>{t("park.empty.lead")}</p>
      <ol className={styles["steps"]}>
        {steps.map((step) => {
          const title = t(`park.empty.${step}.title`);
          const line = commands[step](location.origin);
          return (
            <li key={step} className={styles["step"]}>
              <h2>{title}</h2>
              <p>{t(`park.empty.${step}.note`)}</p>
              <div className={styles["command"]}>
                <code>{line}</code>
                <CopyButton content={line} label={t("park.empty.copy", { title })} doneLabel={t("app.copied")} compact />
              </div>
            </li>
          );
        })}
      </ol>
      <p className={styles["waiting"]}>{t("park.empty.waiting")}</p>
    </section>
  );
}
