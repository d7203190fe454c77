// One reading with its verdict: the bytes field by field, by what they are signed, and a copy that the visitor may forge.

import { useState } from "react";
import { Link } from "wouter";
import type { Installation, Reading } from "../api/types.ts";
import { useVerdict } from "../hooks/verdict.ts";
import buttons from "../ui/button.module.css";
import { CopyButton } from "../ui/copy-button.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { counted, dateTimeSeconds, energyFigure, groups, powerFigure, utcStamp } from "../util/format.ts";
import { withByte } from "../util/hex.ts";
import { instantOf, knownZone } from "../util/instant.ts";
import { cutFields, fieldOf } from "../util/record-fields.ts";
import type { FieldName } from "../util/record-layout.ts";
import { t } from "../util/text.ts";
import { fromMilli, toSeconds } from "../util/verify-checks.ts";
import { verifyReading, type MeterKey, type ReadingClaim, type ReadingVerdict } from "../util/verify-reading.ts";
import { ByteMap } from "./byte-map.tsx";
import { ProofPath } from "./proof-path.tsx";
import { RecordFigures } from "./record-figures.tsx";
import { RecordForge } from "./record-forge.tsx";
import { RecordFrame, RecordPart } from "./record-frame.tsx";
import { RecordLimits } from "./record-limits.tsx";
import { RecordSignature } from "./record-signature.tsx";
import { VerdictChecks } from "./verdict-checks.tsx";
import { VerdictPanel } from "./verdict-panel.tsx";
import styles from "./record-reading.module.css";

/** The figures that a forger would raise. */
const forged: readonly FieldName[] = ["power", "produced"];

/** A window closes at every multiple of this many seconds. */
const windowSeconds = 600;

interface RecordReadingProps {
  reading: Reading & { record: string };
  installation: Installation;
  meterKey: MeterKey;
  /** The number that was asked for, whatever the answer calls itself. */
  asked: number;
}

/** To be keyed by the reading. */
export function RecordReading({ reading, installation, meterKey, asked }: RecordReadingProps) {
  const [copy, setCopy] = useState<ReadingClaim | null>(null);
  const { record, signature, proof } = reading;
  const original: ReadingClaim = { record, signature, proof, shown: reading, asked: { installation: installation.id, reading: asked } };
  const { verdict: held } = useVerdict("reading", record, { claim: original, meterKey }, verify);
  const claim = copy ?? original;
  const { verdict, hasFailed, retry } = useVerdict("reading", record, { claim, meterKey }, verify);
  // Before it is computed nothing says how tall it is: all of the page comes at once, and nothing moves.
  if (verdict === null && !hasFailed) return <PageSkeleton label={t("proof.page.loading")} />;

  const zone = knownZone(installation.timezone);
  const shownRecord = claim.record ?? record;
  const seconds = toSeconds(fieldOf(cutFields(record) ?? [], "time")?.value ?? null);
  const change = copy === null ? undefined : (changes: Partial<ReadingClaim>) => {
    setCopy({ ...copy, ...changes });
  };
  const startForging = () => {
    setCopy({ ...original, shown: null });
  };

  const aside = (
    <>
      <VerdictPanel verdict={verdict} hasFailed={hasFailed} onRetry={retry} isCopy={copy !== null} />
      <ReadingFigures record={shownRecord} verdict={verdict} />
      {copy && change ? (
        <RecordForge
          record={shownRecord}
          original={record}
          names={forged}
          changed={changedBytes(original, copy)}
          onRecord={(changed) => {
            change({ record: changed });
          }}
          onReset={startForging}
          onStop={() => {
            setCopy(null);
          }}
        />
      ) : (
        <div className={styles["actions"]}>
          <button type="button" className={buttons["button"]} data-primary onClick={startForging}>
            {t("proof.forge.start")}
          </button>
          <CopyButton content={JSON.stringify(reading, null, 2)} label={t("proof.detail.copy")} doneLabel={t("app.copied")} />
          <CopyButton content={record} label={t("proof.bytes.copy")} doneLabel={t("app.copied")} />
        </div>
      )}
    </>
  );

  return (
    <RecordFrame
      meter={installation}
      heading={t("proof.page.heading", { sequence: counted(reading.sequence) })}
      time={timeText(seconds, zone)}
      aside={aside}
      forged={copy === null ? null : verdict}
    >
      <RecordPart id="checks" heading={t("proof.verdict.checks")}>
        <VerdictChecks checks={verdict?.checks ?? []} />
      </RecordPart>
      <RecordPart id="bytes" heading={t("proof.bytes.heading")}>
        <ByteMap
          record={shownRecord}
          original={record}
          onByte={
            change &&
            ((offset, byte) => {
              change({ record: withByte(shownRecord, offset, byte) });
            })
          }
        />
      </RecordPart>
      {claim.signature === null || signature === null ? null : (
        <RecordSignature
          signature={claim.signature}
          original={signature}
          publicKey={installation.public_key}
          note={t("proof.seal.notYet")}
          onSignature={
            change &&
            ((changed) => {
              change({ signature: changed });
            })
          }
        />
      )}
      {claim.proof && proof ? (
        <PathPart
          claim={claim}
          nodes={verdict?.nodes ?? null}
          original={held?.nodes ?? null}
          reading={reading}
          onPath={
            change &&
            ((path) => {
              change({ proof: claim.proof ? { ...claim.proof, path } : null });
            })
          }
        />
      ) : null}
      <RecordPart id="beside" heading={t("proof.page.beside")} explain={t("proof.page.besideExplain")}>
        <Origin reading={reading} />
      </RecordPart>
      <RecordLimits meterId={installation.meter_id} time={seconds === null ? null : windowOf(seconds)} />
    </RecordFrame>
  );
}

function verify(engine: Parameters<typeof verifyReading>[0], { claim, meterKey }: { claim: ReadingClaim; meterKey: MeterKey }) {
  return verifyReading(engine, claim, meterKey);
}

function timeText(seconds: number | null, zone: string): string {
  return seconds === null ? t("proof.page.noTime") : dateTimeSeconds(seconds * 1000, zone);
}

/** The ten minutes of UTC in which a time lies. */
function windowOf(seconds: number): { start: number; end: number } {
  const start = Math.floor(seconds / windowSeconds) * windowSeconds;
  return { start, end: start + windowSeconds };
}

function changedBytes(original: ReadingClaim, copy: ReadingClaim): number {
  const before = bytesOf(original);
  return bytesOf(copy).filter((byte, place) => byte !== before[place]).length;
}

function bytesOf({ record, signature, proof }: ReadingClaim): string[] {
  return groups([record, signature, ...(proof?.path ?? [])].join(""), 2);
}

function ReadingFigures({ record, verdict }: { record: string; verdict: ReadingVerdict | null }) {
  const fields = cutFields(record) ?? [];
  const sensor = fieldOf(fields, "power");
  const power = verdict?.plant?.power_w ?? null;
  const produced = fromMilli(fieldOf(fields, "produced")?.value ?? null);
  return (
    <RecordFigures
      figures={[
        {
          id: "power",
          label: t("proof.page.power"),
          value: sensor?.value === null ? t("proof.page.failedPoll") : powerFigure(power),
        },
        { id: "produced", label: t("proof.page.produced"), value: energyFigure(produced) },
      ]}
      note={t("proof.page.fromBytes")}
    />
  );
}

interface PathPartProps {
  claim: ReadingClaim;
  nodes: readonly string[] | null;
  original: readonly string[] | null;
  reading: Reading;
  onPath: ((path: readonly string[]) => void) | undefined;
}

function PathPart({ claim, nodes, original, reading, onPath }: PathPartProps) {
  const { proof } = claim;
  if (proof?.path == null || proof.leaf_count === null) return null;
  const { path, leaf_index: index, leaf_count: count } = proof;
  return (
    <RecordPart id="path" heading={t("proof.seal.path")} explain={t("proof.seal.pathExplain", { hashes: path.length })}>
      <ProofPath
        index={index}
        count={count}
        path={path}
        nodes={nodes}
        original={original}
        onSibling={
          onPath &&
          ((place) => {
            onPath(path.with(place, raised(path[place] ?? "")));
          })
        }
      />
      {reading.window_id === null ? null : (
        <p className={styles["window"]}>
          <strong>{t("proof.seal.window", { index: counted(reading.window_id) })}</strong> {t("proof.seal.windowExplain", { count })}{" "}
          <Link href={`/meters/${String(reading.installation_id)}/windows/${String(reading.window_id)}`}>{t("proof.seal.openWindow")}</Link>
        </p>
      )}
    </RecordPart>
  );
}

/** A hash whose last byte is one more. */
function raised(hash: string): string {
  const last = hash.length / 2 - 1;
  return withByte(hash, last, Number.parseInt(hash.slice(last * 2), 16) + 1);
}

/** What the gateway says beside the record, and no verdict covers. */
function Origin({ reading }: { reading: Reading }) {
  const received = instantOf(reading.created_at);
  return (
    <dl className={styles["facts"]}>
      <dt>{t("proof.detail.received")}</dt>
      <dd>{received === null ? t("proof.detail.none") : t("proof.detail.utc", { time: utcStamp(received) })}</dd>
      <dt>{t("proof.detail.onChain")}</dt>
      <dd>{reading.blockchain_tx_hash ?? t("proof.detail.notOnChain")}</dd>
    </dl>
  );
}
