// One record opened in the list: this browser's verdict, the signed bytes field by field, and the way to the record's own page.

import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { queries } from "../api/queries.ts";
import type { Reading } from "../api/types.ts";
import { useKeyedMeter, useVerdict } from "../hooks/verdict.ts";
import buttons from "../ui/button.module.css";
import { CopyButton } from "../ui/copy-button.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { t } from "../util/text.ts";
import { verifyReading, type MeterKey, type ReadingClaim } from "../util/verify-reading.ts";
import { ByteMap } from "./byte-map.tsx";
import { VerdictChecks } from "./verdict-checks.tsx";
import { VerdictPanel } from "./verdict-panel.tsx";
import styles from "./record-detail.module.css";

interface RecordDetailProps {
  reading: Reading;
  /** What was asked for, whatever the answer calls itself; a row of a list is what it says to be. */
  asked?: Asked;
}

type Asked = ReadingClaim["asked"];

export function RecordDetail({ reading: listed, asked: given }: RecordDetailProps) {
  const asked = given ?? { installation: listed.installation_id, reading: listed.id };
  // Lists leave the path of a proof out; the single reading has it.
  const isWhole = listed.proof?.path !== null;
  const single = useQuery({ ...queries.reading(asked.installation, asked.reading), enabled: !isWhole });
  const reading = isWhole ? listed : (single.data ?? (single.isError ? listed : null));
  const { key } = useKeyedMeter(asked.installation);
  // What the list shows is judged too, also where the proof came with another answer.
  const claim = reading ? claimOf(reading, listed, asked) : null;
  const { verdict, hasFailed, retry } = useVerdict("reading", listed.record, claim && key ? { claim, meterKey: key } : null, verify);
  const { record } = listed;
  return (
    <div className={styles["record"]} data-testid="record-detail">
      {record === null ? (
        <p className={styles["import"]}>
          <Glyph name="unverified" size={22} />
          <span>{t("app.signature.unverified.explain")}</span>
        </p>
      ) : (
        <>
          <VerdictPanel verdict={verdict} hasFailed={hasFailed} onRetry={retry} isSmall>
            <div className={styles["actions"]}>
              <Link href={pageOf(asked)} className={buttons["button"]}>
                {t("proof.page.open")}
              </Link>
              <CopyButton content={JSON.stringify(reading ?? listed, null, 2)} label={t("proof.detail.copy")} doneLabel={t("app.copied")} />
            </div>
          </VerdictPanel>
          {verdict?.overall === "proven" ? null : (
            <VerdictChecks checks={verdict?.checks.filter(({ outcome, isNeeded }) => outcome === "fails" || (outcome === "unknown" && isNeeded)) ?? []} />
          )}
          {typeof record === "string" ? <ByteMap record={record} /> : null}
        </>
      )}
    </div>
  );
}

/** A record that the address names but the list no longer holds. */
export function LinkedRecord({ recordKey }: { recordKey: string }) {
  const [installation = Number.NaN, id = Number.NaN] = recordKey.split("-").map(Number);
  const isNamed = Number.isSafeInteger(installation) && Number.isSafeInteger(id);
  const reading = useQuery({ ...queries.reading(installation, id), enabled: isNamed });
  if (!isNamed || reading.isError) return <Notice title={t("record.list.gone")} />;
  if (!reading.data) return <p className={styles["loading"]}>{t("proof.detail.loading")}</p>;
  return <RecordDetail key={recordKey} reading={reading.data} asked={{ installation, reading: id }} />;
}

/** The page of a reading. */
function pageOf({ installation, reading }: Asked): string {
  return `/meters/${String(installation)}/readings/${String(reading)}`;
}

function claimOf({ signature, proof }: Reading, listed: Reading, asked: Asked): ReadingClaim {
  return { record: listed.record, signature, proof, shown: listed, asked };
}

function verify(engine: Parameters<typeof verifyReading>[0], { claim, meterKey }: { claim: ReadingClaim; meterKey: MeterKey }) {
  return verifyReading(engine, claim, meterKey);
}
