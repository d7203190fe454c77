// One record opened: its signed bytes field by field, its signature, and the proof that stands in its place once it is sealed.

import { useQuery } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";
import { signatureState } from "../api/signature-state.ts";
import type { Reading, ReadingProof } from "../api/types.ts";
import type { ReactNode } from "react";
import buttons from "../ui/button.module.css";
import { CopyButton } from "../ui/copy-button.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { groups, utcStamp } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { fieldText } from "../util/record-text.ts";
import { readingFields, type Field } from "../util/reading-record.ts";
import { t } from "../util/text.ts";
import styles from "./record-detail.module.css";

export function RecordDetail({ reading: listed }: { reading: Reading }) {
  // Lists leave the path of a proof out; the single reading has it.
  const isWhole = listed.proof === null || listed.proof.path !== null;
  const single = useQuery({ ...queries.reading(listed.installation_id, listed.id), enabled: !isWhole });
  const reading = single.data ?? listed;
  const state = signatureState(reading);
  return (
    <div className={styles["record"]} data-testid="record-detail">
      <p className={styles["verdict"]} data-state={state}>
        <Glyph name={state} size={22} />
        <span>{t(`app.signature.${state}.explain`)}</span>
      </p>
      <div className={styles["columns"]}>
        <RecordBytes record={reading.record} />
        <div className={styles["side"]}>
          <dl className={styles["facts"]}>
            {reading.signature === null ? null : (
              <Fact label={t("record.detail.signature")}>
                <Hex hex={reading.signature} />
              </Fact>
            )}
            {reading.window_id === null ? null : <Fact label={t("record.detail.window")}>{String(reading.window_id)}</Fact>}
            {reading.proof === null ? null : <Proof proof={reading.proof} />}
            <Fact label={t("record.detail.reading")}>{String(reading.id)}</Fact>
            <Fact label={t("record.detail.received")}>{receivedAt(reading)}</Fact>
            <Fact label={t("record.detail.onChain")}>{reading.blockchain_tx_hash ?? t("record.detail.notOnChain")}</Fact>
          </dl>
          <div className={styles["actions"]}>
            <CopyButton
              content={JSON.stringify(reading, null, 2)}
              label={t("record.detail.copy")}
              doneLabel={t("app.copied")}
            />
            <a
              className={buttons["button"]}
              href={`/api/v1/installations/${String(reading.installation_id)}/readings/${String(reading.id)}`}
              target="_blank"
              rel="noreferrer"
            >
              {t("record.detail.link")}
            </a>
          </div>
        </div>
      </div>
    </div>
  );
}

/** A record that the address names but the list no longer holds. */
export function LinkedRecord({ recordKey }: { recordKey: string }) {
  const [installation = Number.NaN, id = Number.NaN] = recordKey.split("-").map(Number);
  const isNamed = Number.isSafeInteger(installation) && Number.isSafeInteger(id);
  const reading = useQuery({ ...queries.reading(installation, id), enabled: isNamed });
  if (!isNamed || reading.isError) return <Notice title={t("record.list.gone")} />;
  if (!reading.data) return <p className={styles["loading"]}>{t("record.detail.loading")}</p>;
  return <RecordDetail reading={reading.data} />;
}

function receivedAt(reading: Reading): string {
  const ms = instantOf(reading.created_at);
  return ms === null ? t("record.detail.none") : t("record.detail.utc", { time: utcStamp(ms) });
}

function RecordBytes({ record }: { record: string | null }) {
  if (record === null) return <p className={styles["none"]}>{t("record.detail.noBytes")}</p>;
  const fields = readingFields(record);
  if (!fields) {
    return (
      <div>
        <p className={styles["none"]}>{t("record.detail.undecoded")}</p>
        <Hex hex={record} />
      </div>
    );
  }
  return (
    <table className={styles["bytes"]}>
      <caption>{t("record.detail.bytes", { count: record.length / 2 })}</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{t("record.detail.offset")}</th>
          <th scope="col">{t("record.detail.field")}</th>
          <th scope="col">{t("record.detail.hex")}</th>
          <th scope="col">{t("record.detail.value")}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <FieldRow key={field.offset} field={field} />
        ))}
      </tbody>
    </table>
  );
}

function FieldRow({ field }: { field: Field }) {
  const { label, value } = fieldText(field);
  return (
    <tr>
      <td className={styles["offset"]}>{field.offset}</td>
      <th scope="row">{label}</th>
      <td className={styles["hex"]}>
        <Hex hex={field.hex} />
      </td>
      <td className={styles["value"]}>{value}</td>
    </tr>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Proof({ proof }: { proof: ReadingProof }) {
  const { leaf_index: index, leaf_count: count, path, root, window_record: record, window_signature: signature } = proof;
  if (path === null || root === null || count === null) {
    return (
      <Fact label={t("record.detail.path")}>
        <Skeleton width="100%" />
      </Fact>
    );
  }
  return (
    <>
      <Fact label={t("record.detail.path")}>
        <p className={styles["leaf"]}>{t("record.detail.leaf", { index: index + 1, count })}</p>
        <ol className={styles["path"]}>
          {path.map((hash) => (
            <li key={hash}>
              <Hex hex={hash} />
            </li>
          ))}
        </ol>
      </Fact>
      <Fact label={t("record.detail.root")}>
        <Hex hex={root} />
      </Fact>
      {record === null ? null : (
        <Fact label={t("record.detail.windowRecord")}>
          <Hex hex={record} />
        </Fact>
      )}
      {signature === null ? null : (
        <Fact label={t("record.detail.windowSignature")}>
          <Hex hex={signature} />
        </Fact>
      )}
    </>
  );
}

/** Hex in groups of eight digits that break at their ends only; copying it gives the digits without gaps. */
function Hex({ hex }: { hex: string }) {
  return (
    <code className={styles["digits"]}>
      {groups(hex, 8).map((group, place) => (
        <span key={`${String(place)}-${group}`}>{group}</span>
      ))}
    </code>
  );
}
