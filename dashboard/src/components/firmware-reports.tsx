// What a meter reported of its updates and signed, newest first, down to the bytes.

import { Link } from "wouter";
import type { FirmwareReport } from "../api/firmware.ts";
import { Badge } from "../ui/badge.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { FactList } from "../ui/fact-list.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { counted, dateTimeSeconds, fingerprint } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { Hex } from "./byte-hex.tsx";
import { Digest, WordsText } from "./firmware-text.tsx";
import { obstacleWords, outcomeLooks } from "./firmware-words.ts";
import own from "./firmware-text.module.css";
import styles from "./installation-history.module.css";

export function FirmwareReports({ reports, zone }: { reports: readonly FirmwareReport[]; zone: string }) {
  if (reports.length === 0) return <p className={styles["lead"]}>{t("firmware.reports.empty")}</p>;
  return (
    <ol>
      {reports.map((report) => (
        <Report key={report.signature} report={report} zone={zone} />
      ))}
    </ol>
  );
}

function Report({ report, zone }: { report: FirmwareReport; zone: string }) {
  const received = instantOf(report.received_at);
  const made = report.timestamp === null ? null : report.timestamp * 1000;
  const version = report.version ?? fingerprint(report.release);
  return (
    <li className={styles["entry"]} data-testid="report" data-outcome={report.outcome}>
      <p className={own["outcome"]}>
        <Badge {...outcomeLooks[report.outcome]}>{t(`firmware.outcome.${report.outcome}`, { version })}</Badge>
        {report.version === null ? null : <Link href={`/firmware/releases/${report.release}`}>{t("firmware.reports.release")}</Link>}
      </p>
      {report.obstacle === null ? null : (
        <p>
          <WordsText words={obstacleWords(report.obstacle)} />
        </p>
      )}
      <p className={styles["who"]}>
        {made === null ? t("firmware.reports.noTime") : <TimeText at={made}>{dateTimeSeconds(made, zone)}</TimeText>}
      </p>
      <details>
        <summary>{t("firmware.reports.bytes")}</summary>
        <div className={styles["detail"]}>
          <FactList
            facts={[
              { id: "received", label: t("firmware.reports.received"), value: received === null ? t("firmware.noTime") : dateTimeSeconds(received, zone) },
              { id: "running", label: t("firmware.reports.running"), value: <Digest digest={report.running_digest} label={t("firmware.reports.running")} /> },
              { id: "boot", label: t("firmware.reports.boot"), value: counted(report.boot) },
              { id: "counter", label: t("firmware.facts.counter"), value: counted(report.security_counter) },
            ]}
          />
          <dl className={styles["bytes"]}>
            <div>
              <dt>{t("firmware.reports.record")}</dt>
              <dd>
                <Hex hex={report.record} />
              </dd>
            </div>
            <div>
              <dt>{t("firmware.reports.signature")}</dt>
              <dd>
                <Hex hex={report.signature} />
              </dd>
            </div>
          </dl>
          <div className={styles["copies"]}>
            <CopyButton content={report.record} label={t("firmware.copy", { what: t("firmware.reports.record") })} doneLabel={t("app.copied")} />
            <CopyButton content={report.signature} label={t("firmware.copy", { what: t("firmware.reports.signature") })} doneLabel={t("app.copied")} />
          </div>
        </div>
      </details>
    </li>
  );
}
