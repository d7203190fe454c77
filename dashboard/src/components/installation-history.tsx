// The record that each change leaves: what was said of a meter and signed, newest first, down to the bytes.

import { useQuery } from "@tanstack/react-query";
import { administration, type HistoryEntry } from "../api/administration.ts";
import type { InstallationDetail } from "../api/types.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { FactList } from "../ui/fact-list.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { dateTimeSeconds, fingerprint, groups } from "../util/format.ts";
import { instantOf, knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { summaryFact } from "./installation-summary.ts";
import styles from "./installation-history.module.css";

export function InstallationHistory({ installation }: { installation: InstallationDetail }) {
  return (
    <section aria-labelledby="history" className={styles["history"]}>
      <h2 id="history">{t("installations.history.heading")}</h2>
      <p className={styles["lead"]}>{t("installations.history.lead", { zone: knownZone(installation.timezone).replaceAll("_", " ") })}</p>
      <ErrorBoundary>
        <Entries installation={installation} />
      </ErrorBoundary>
    </section>
  );
}

function Entries({ installation }: { installation: InstallationDetail }) {
  // What was fetched before stays when it cannot be fetched again.
  const history = useQuery({ ...administration.history(installation.id), throwOnError: (_, { state }) => state.data === undefined });
  return (
    <>
      {history.isPending ? <Skeleton width="100%" height="6rem" /> : null}
      {history.data?.length === 0 ? <p className={styles["lead"]}>{t("installations.history.empty")}</p> : null}
      <ol>
        {history.data?.toReversed().map((entry) => (
          <Entry key={entry.digest} entry={entry} installation={installation} />
        ))}
      </ol>
    </>
  );
}

function Entry({ entry, installation }: { entry: HistoryEntry; installation: InstallationDetail }) {
  const { kind, signed_by, signer, digest, record, signature, acceptance, summary } = entry;
  const zone = knownZone(installation.timezone);
  const issued = instantOf(entry.issued_at);
  const received = instantOf(entry.received_at);
  const isWaiting = kind === "enrolment" && acceptance === null && digest === installation.enrolment?.digest && installation.state === "active";
  return (
    <li className={styles["entry"]} data-kind={kind} data-testid="history-entry">
      <p className={styles["what"]}>
        <strong>{t(`installations.history.kind.${kind}`)}</strong>
        <span>{issued === null ? t("installations.history.noTime") : <TimeText at={issued}>{dateTimeSeconds(issued, zone)}</TimeText>}</span>
      </p>
      <p className={styles["who"]}>
        {t(`installations.history.by.${signed_by}`, { key: fingerprint(signer) })}
        {acceptance === null ? null : ` ${t("installations.history.countersigned")}`}
        {isWaiting ? ` ${t("installations.history.uncountersigned")}` : null}
      </p>
      <details>
        <summary>
          {t("installations.history.open")} <code>{fingerprint(digest)}</code>
        </summary>
        <div className={styles["detail"]}>
          <FactList facts={Object.entries(summary).map(([name, value]) => summaryFact(name, value))} />
          <FactList
            facts={[
              {
                id: "received",
                label: t("installations.history.received"),
                value: received === null ? t("installations.history.noTime") : <TimeText at={received}>{dateTimeSeconds(received, zone)}</TimeText>,
              },
            ]}
          />
          <dl className={styles["bytes"]}>
            <Bytes label={t("installations.history.digest")} hex={digest} />
            <Bytes label={t("installations.history.signer")} hex={signer} />
            <Bytes label={t("installations.history.record", { count: record.length / 2 })} hex={record} />
            <Bytes label={t("installations.history.signature")} hex={signature} />
            {acceptance === null ? null : <Bytes label={t("installations.history.acceptance")} hex={acceptance} />}
          </dl>
          <p className={styles["copies"]}>
            <CopyButton content={record} label={t("installations.history.copyRecord")} doneLabel={t("app.copied")} />
            <CopyButton content={JSON.stringify(entry, null, 2)} label={t("installations.history.copyAll")} doneLabel={t("app.copied")} />
          </p>
        </div>
      </details>
    </li>
  );
}

function Bytes({ label, hex }: { label: string; hex: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <code className={styles["hex"]}>
          {groups(hex, 8).map((group, place) => (
            <span key={`${String(place)}-${group}`}>{group}</span>
          ))}
        </code>
      </dd>
    </div>
  );
}
