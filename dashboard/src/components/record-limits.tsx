// What a verdict does not prove, and how anybody checks the same without this page.

import { fingerprint } from "../util/format.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { t } from "../util/text.ts";
import styles from "./record-limits.module.css";

/** Between the options of a command, as a shell reads on. */
const lineBreak = " \\\n  ";

interface RecordLimitsProps {
  meterId: string;
  /** The time to check, UNIX seconds, `end` not included; null when the meter did not know it. */
  time: { start: number; end: number } | null;
}

export function RecordLimits({ meterId, time }: RecordLimitsProps) {
  const command = verifyCommand(location.origin, meterId, time);
  return (
    <div className={styles["limits"]}>
      <section aria-labelledby="limits">
        <h2 id="limits">{t("proof.limits.heading")}</h2>
        <ul className={styles["list"]}>
          <li>
            {t("proof.limits.key")} <code className={styles["fingerprint"]}>{fingerprint(meterId)}</code>
          </li>
          <li>{t("proof.limits.sensor")}</li>
          <li>{t("proof.limits.complete")}</li>
          <li>{t("proof.limits.page")}</li>
        </ul>
      </section>
      <section aria-labelledby="offline">
        <h2 id="offline">{t("proof.offline.heading")}</h2>
        <p className={styles["explain"]}>{time === null ? t("proof.offline.untimed") : t("proof.offline.explain")}</p>
        <pre className={styles["command"]} data-testid="verify-command">
          <code>{command}</code>
        </pre>
        <CopyButton content={command.replaceAll(lineBreak, " ")} label={t("proof.offline.copy")} doneLabel={t("app.copied")} />
      </section>
    </div>
  );
}

/** The command of the auditor's program for a meter and a time; its windows are taken whole. */
function verifyCommand(gateway: string, meterId: string, time: RecordLimitsProps["time"]): string {
  const options = [`--gateway ${gateway}`, `--meter ${meterId}`];
  if (time !== null) options.push(`--from ${utc(time.start)}`, `--to ${utc(time.end)}`);
  return ["wattwitness verify", ...options].join(lineBreak);
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
