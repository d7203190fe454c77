// One window with its verdict: its bytes, its signature, the root rebuilt from its readings, its place in the chain, and a copy that may be forged.

import { useState } from "react";
import { Link } from "wouter";
import type { Installation, WindowDetail } from "../api/types.ts";
import { useVerdict } from "../hooks/verdict.ts";
import buttons from "../ui/button.module.css";
import { CopyButton } from "../ui/copy-button.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { counted, dateTimeSeconds, energyFigure, groups } from "../util/format.ts";
import { withByte } from "../util/hex.ts";
import { knownZone } from "../util/instant.ts";
import { cutFields, fieldOf } from "../util/record-fields.ts";
import type { FieldName } from "../util/record-layout.ts";
import { t } from "../util/text.ts";
import { fromMilli, toSeconds } from "../util/verify-checks.ts";
import type { MeterKey } from "../util/verify-reading.ts";
import { verifyWindow, type PreviousClaim, type WindowClaim } from "../util/verify-window.ts";
import { Hex } from "./byte-hex.tsx";
import { ByteMap } from "./byte-map.tsx";
import { RecordFigures } from "./record-figures.tsx";
import { RecordForge } from "./record-forge.tsx";
import { RecordFrame, RecordPart } from "./record-frame.tsx";
import { RecordLimits } from "./record-limits.tsx";
import { RecordSignature } from "./record-signature.tsx";
import { VerdictChecks } from "./verdict-checks.tsx";
import { VerdictPanel } from "./verdict-panel.tsx";
import { WindowReadings } from "./window-readings.tsx";
import styles from "./window-record.module.css";

/** The figures that a forger would raise. */
const forged: readonly FieldName[] = ["produced_close", "count"];

interface WindowRecordProps {
  window: WindowDetail;
  installation: Installation;
  meterKey: MeterKey;
  previous: PreviousClaim;
  /** The chain index that was asked for, whatever the answer calls itself. */
  asked: number;
}

/** To be keyed by the window. */
export function WindowRecord({ window, installation, meterKey, previous, asked }: WindowRecordProps) {
  const [copy, setCopy] = useState<WindowClaim | null>(null);
  const { record, signature, readings } = window;
  const original: WindowClaim = { record, signature, readings, previous, shown: window, asked: { installation: installation.id, window: asked } };
  const claim = copy ?? original;
  const { verdict, hasFailed, retry } = useVerdict("window", record, { claim, meterKey }, verify);
  // Before it is computed nothing says how tall it is: all of the page comes at once, and nothing moves.
  if (verdict === null && !hasFailed) return <PageSkeleton label={t("proof.page.loading")} />;

  const zone = knownZone(installation.timezone);
  const span = spanOf(record);
  const change = copy === null ? undefined : (changes: Partial<WindowClaim>) => {
    setCopy({ ...copy, ...changes });
  };
  const startForging = () => {
    setCopy({ ...original, shown: null });
  };

  const aside = (
    <>
      <VerdictPanel verdict={verdict} hasFailed={hasFailed} onRetry={retry} isCopy={copy !== null} />
      <WindowFigures record={claim.record} />
      {copy && change ? (
        <RecordForge
          record={claim.record}
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
          <CopyButton content={JSON.stringify(window, null, 2)} label={t("proof.detail.copy")} doneLabel={t("app.copied")} />
          <CopyButton content={record} label={t("proof.bytes.copy")} doneLabel={t("app.copied")} />
        </div>
      )}
    </>
  );

  return (
    <RecordFrame
      meter={installation}
      heading={t("proof.window.heading", { index: counted(window.id) })}
      time={span === null ? t("proof.page.noTime") : `${dateTimeSeconds(span.start * 1000, zone)} – ${dateTimeSeconds(span.last * 1000, zone)}`}
      neighbours={<Neighbours window={window} />}
      aside={aside}
      forged={copy === null ? null : verdict}
    >
      <RecordPart id="checks" heading={t("proof.verdict.checks")}>
        <VerdictChecks checks={verdict?.checks ?? []} />
      </RecordPart>
      <RecordPart id="bytes" heading={t("proof.bytes.heading")}>
        <ByteMap
          record={claim.record}
          original={record}
          onByte={
            change &&
            ((offset, byte) => {
              change({ record: withByte(claim.record, offset, byte) });
            })
          }
        />
      </RecordPart>
      {readings.length === 0 ? null : (
        <RecordPart id="tree" heading={t("proof.window.tree")} explain={t("proof.window.treeExplain", { count: readings.length })}>
          <Roots rebuilt={verdict?.rebuilt ?? null} signed={digitsOf(claim.record, "root")} count={readings.length} />
        </RecordPart>
      )}
      <RecordSignature
        signature={claim.signature}
        original={signature}
        publicKey={installation.public_key}
        onSignature={
          change &&
          ((changed) => {
            change({ signature: changed });
          })
        }
      />
      <RecordPart id="chain" heading={t("proof.window.chain")} explain={t("proof.window.chainExplain")}>
        <Chain window={window} record={claim.record} />
      </RecordPart>
      <RecordPart id="readings" heading={t("proof.window.readings")}>
        {readings.length === 0 ? <p>{t("proof.window.readingsNone")}</p> : <WindowReadings window={window} zone={zone} />}
      </RecordPart>
      <RecordLimits meterId={installation.meter_id} time={span} />
    </RecordFrame>
  );
}

function verify(engine: Parameters<typeof verifyWindow>[0], { claim, meterKey }: { claim: WindowClaim; meterKey: MeterKey }) {
  return verifyWindow(engine, claim, meterKey);
}

/** From the first to the last reading and to the end behind it, UNIX seconds; null where the meter did not know the time. */
function spanOf(record: string): { start: number; last: number; end: number } | null {
  const fields = cutFields(record) ?? [];
  const start = toSeconds(fieldOf(fields, "first_time")?.value ?? null);
  const last = toSeconds(fieldOf(fields, "last_time")?.value ?? null);
  return start === null || last === null ? null : { start, last, end: last + 1 };
}

function digitsOf(record: string, name: FieldName): string {
  return fieldOf(cutFields(record) ?? [], name)?.hex ?? "";
}

function changedBytes(original: WindowClaim, copy: WindowClaim): number {
  const before = groups(original.record + original.signature, 2);
  return groups(copy.record + copy.signature, 2).filter((byte, place) => byte !== before[place]).length;
}

function WindowFigures({ record }: { record: string }) {
  const fields = cutFields(record) ?? [];
  const [open, close] = [fieldOf(fields, "produced_open")?.value, fieldOf(fields, "produced_close")?.value];
  const energy = open == null || close == null ? null : fromMilli(close - open);
  return (
    <RecordFigures
      figures={[
        { id: "energy", label: t("proof.window.energy"), value: energyFigure(energy) },
        { id: "count", label: t("proof.window.count"), value: counted(Number(fieldOf(fields, "count")?.value ?? 0n)) },
      ]}
      note={t("proof.page.fromBytes")}
    />
  );
}

function addressOf(installation: number, window: number): string {
  return `/meters/${String(installation)}/windows/${String(window)}`;
}

function Neighbours({ window: { installation_id, previous_id, next_id } }: { window: WindowDetail }) {
  return (
    <p className={styles["neighbours"]}>
      {previous_id === null ? null : (
        <Link href={addressOf(installation_id, previous_id)} className={buttons["button"]} aria-label={t("proof.window.previous")}>
          <Glyph name="back" size={16} />
        </Link>
      )}
      {next_id === null ? null : (
        <Link href={addressOf(installation_id, next_id)} className={buttons["button"]} aria-label={t("proof.window.next")}>
          <Glyph name="chevron" size={16} />
        </Link>
      )}
    </p>
  );
}

/** Each reading a tick, all of them under one root. */
function Roots({ rebuilt, signed, count }: { rebuilt: string | null; signed: string; count: number }) {
  const isSame = rebuilt === null || rebuilt === signed;
  return (
    <div className={styles["tree"]} data-testid="rebuilt-root" data-same={rebuilt === null ? undefined : isSame}>
      <div className={styles["leaves"]} aria-hidden="true">
        {Array.from({ length: count }, (_, place) => (
          <span key={place} />
        ))}
      </div>
      <dl className={styles["roots"]}>
        <div>
          <dt>{t("proof.window.rebuilt")}</dt>
          <dd>{rebuilt === null ? null : <Hex hex={rebuilt} against={signed} />}</dd>
        </div>
        <div>
          <dt>{t("proof.window.signed")}</dt>
          <dd>
            <Hex hex={signed} />
          </dd>
        </div>
      </dl>
    </div>
  );
}

function Chain({ window, record }: { window: WindowDetail; record: string }) {
  const { installation_id: installation, chain_index: index, previous_id: previousId, next_id: nextId } = window;
  const isLinked = previousId === index - 1;
  return (
    <ol className={styles["chain"]}>
      {index === 0 ? null : (
        <li>
          <p>
            {isLinked ? (
              <Link href={addressOf(installation, previousId)}>{t("proof.window.heading", { index: counted(previousId) })}</Link>
            ) : (
              t("proof.window.before", { index: counted(index - 1) })
            )}
          </p>
          <p className={styles["digest"]}>
            <Hex hex={digitsOf(record, "previous")} />
          </p>
        </li>
      )}
      <li data-current>
        <p>
          <strong>{t("proof.window.heading", { index: counted(index) })}</strong> <span>{t("proof.window.thisOne")}</span>
        </p>
        <p className={styles["digest"]}>
          <Hex hex={window.digest} />
        </p>
      </li>
      {nextId === null ? null : (
        <li>
          <p>
            <Link href={addressOf(installation, nextId)}>{t("proof.window.heading", { index: counted(nextId) })}</Link>
          </p>
        </li>
      )}
    </ol>
  );
}
