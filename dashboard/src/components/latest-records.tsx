// The newest records with their signature state; one of them may be open. The address holds which.

import { useState } from "react";
import { recordsShown } from "../api/queries.ts";
import type { Installation, Reading } from "../api/types.ts";
import { placeInTime, type RecordPlace } from "../api/reading-order.ts";
import { signatureState } from "../api/signature-state.ts";
import { useNow } from "../hooks/now.ts";
import { useRecords } from "../hooks/park.ts";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { counter, nothing, power, secondOf } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { problemWords } from "./api-problem.tsx";
import { OpenedRecord } from "./record-opened.tsx";
import styles from "./latest-records.module.css";

/** Always this many lines, filled or not, so that the page below never moves. */
const lines = recordsShown;

const all = "all";

export function LatestRecords({ installations }: { installations: readonly Installation[] | null }) {
  const [url, setUrl] = useUrlState(["meter", "record", "after"]);
  const now = useNow(60_000);
  // While a record is open the list stands still: what one reads must not be pushed away every few seconds.
  const [held, setHeld] = useState<readonly Reading[] | null>(null);

  const measuring = installations?.filter(({ state }) => state !== "waiting") ?? [];
  const chosen = measuring.find(({ id }) => String(id) === url.meter);
  const after = placeOf(url.after);
  const { records, isPending, error, retry } = useRecords(chosen ? [chosen] : measuring, after, lines);
  const newest = records.slice(0, lines);
  const shown = url.record !== null && held !== null ? held : newest;
  const top = shown[0];
  const newer = top ? records.filter((reading) => placeInTime(reading) > placeInTime(top)).length : 0;
  const byId = new Map(measuring.map((installation) => [installation.id, installation]));
  const isListed = shown.some((reading) => keyOf(reading) === url.record);
  const oldest = shown.at(-1);

  const open = (record: string | null) => {
    setHeld(record === null ? null : shown);
    setUrl({ record });
  };

  return (
    <section aria-labelledby="records">
      <div className={styles["head"]}>
        <div>
          <h2 id="records">{after === null ? t("record.list.heading") : t("record.list.olderHeading")}</h2>
          <p className={styles["explain"]}>{t("record.list.explain")}</p>
        </div>
        {url.record !== null && after === null ? (
          <p className={styles["held"]}>
            <span>{t("record.list.held", { newer })}</span>
            <button
              type="button"
              className={buttons["button"]}
              onClick={() => {
                open(null);
              }}
            >
              {t("record.list.resume")}
            </button>
          </p>
        ) : null}
      </div>
      {measuring.length === 1 ? null : (
        <div className={styles["filter"]}>
          {measuring.length === 0 ? null : (
            <Choice
              label={t("record.list.filter")}
              options={[
                { value: all, label: t("record.list.allMeters") },
                ...measuring.map(({ id, name }) => ({ value: String(id), label: name })),
              ]}
              value={chosen ? String(chosen.id) : all}
              onChange={(value) => {
                setHeld(null);
                setUrl({ meter: value === all ? null : value, record: null, after: null });
              }}
            />
          )}
        </div>
      )}
      {url.record !== null && !isListed && !isPending ? <OpenedRecord recordKey={url.record} /> : null}
      {error ? (
        <Notice title={t("record.list.failed")} detail={problemWords(error).title} action={t("app.problem.retry")} onAction={retry} />
      ) : (
        <table className={styles["table"]} aria-labelledby="records">
          <thead>
            <tr>
              <th scope="col">{t("record.list.time")}</th>
              <th scope="col" className={styles["wide"]}>
                {t("record.list.meter")}
              </th>
              <th scope="col" className={styles["number"]}>
                {t("record.list.power")}
              </th>
              <th scope="col" className={`${styles["number"] ?? ""} ${styles["wide"] ?? ""}`}>
                {t("record.list.total")}
              </th>
              <th scope="col" className={styles["signature"]}>
                {t("record.list.signature")}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((reading) => {
              const key = keyOf(reading);
              return (
                <RecordRow
                  key={key}
                  reading={reading}
                  installation={byId.get(reading.installation_id)}
                  now={now}
                  isOpen={key === url.record}
                  onToggle={() => {
                    open(key === url.record ? null : key);
                  }}
                />
              );
            })}
            <EmptyLines count={lines - shown.length} isPending={installations === null || isPending} isEmpty={shown.length === 0} />
          </tbody>
        </table>
      )}
      <div className={styles["pages"]}>
        {after === null ? null : (
          <button
            type="button"
            className={buttons["button"]}
            onClick={() => {
              setHeld(null);
              setUrl({ after: null, record: null });
            }}
          >
            {t("record.list.latest")}
          </button>
        )}
        {oldest === undefined || shown.length < lines ? null : (
          <button
            type="button"
            className={buttons["button"]}
            onClick={() => {
              setHeld(null);
              setUrl({ after: [placeInTime(oldest), oldest.installation_id, oldest.sequence].join("-"), record: null });
            }}
          >
            {t("record.list.older")}
          </button>
        )}
      </div>
    </section>
  );
}

/** A place in the list as the address names it, formerly without a sequence; null when it names none. */
function placeOf(after: string | null): RecordPlace | null {
  const [, timestamp, installation, sequence = "0"] = /^(\d{1,12})-(\d{1,9})(?:-(\d{1,15}))?$/.exec(after ?? "") ?? [];
  return timestamp && installation ? [Number(timestamp), Number(installation), Number(sequence)] : null;
}

/** How the address names a record. */
function keyOf(reading: Reading): string {
  return `${String(reading.installation_id)}-${String(reading.id)}`;
}

interface RecordRowProps {
  reading: Reading;
  installation: Installation | undefined;
  now: number;
  isOpen: boolean;
  onToggle: () => void;
}

function RecordRow({ reading, installation, now, isOpen, onToggle }: RecordRowProps) {
  const zone = knownZone(installation?.timezone);
  const time = reading.timestamp === null ? t("record.list.noTime") : secondOf(reading.timestamp * 1000, now, zone);
  const name = installation?.name ?? nothing;
  const state = signatureState(reading);
  const detailId = `record-${String(reading.id)}`;
  return (
    <>
      <tr className={styles["row"]} data-open={isOpen || undefined} data-testid="record" data-reading={reading.id} data-signature={state}>
        <td>
          <button
            type="button"
            className={styles["toggle"]}
            aria-expanded={isOpen}
            aria-controls={isOpen ? detailId : undefined}
            aria-label={t("record.list.open", { time, meter: name })}
            onClick={onToggle}
          >
            <span className={styles["chevron"]}>
              <Glyph name="chevron" size={16} />
            </span>
            <span>
              {time}
              <span className={styles["narrow"]}>{name}</span>
            </span>
          </button>
        </td>
        <td className={styles["wide"]}>{name}</td>
        <td className={styles["number"]}>{reading.power_w === null ? t("record.list.failedPoll") : power(reading.power_w)}</td>
        <td className={`${styles["number"] ?? ""} ${styles["wide"] ?? ""}`}>{counter(reading.total_wh)}</td>
        <td className={styles["signature"]}>
          <span className={styles["seal"]} data-state={state}>
            <Glyph name={state} />
            <span className={styles["wide"]}>{t(`app.signature.${state}.name`)}</span>
            <span className={styles["narrow"]}>{t(`app.signature.${state}.short`)}</span>
          </span>
        </td>
      </tr>
      {isOpen ? (
        <tr id={detailId}>
          <td colSpan={5} className={styles["detail"]}>
            <OpenedRecord reading={reading} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

function EmptyLines({ count, isPending, isEmpty }: { count: number; isPending: boolean; isEmpty: boolean }) {
  return Array.from({ length: Math.max(0, count) }, (_, place) => (
    <tr key={`empty-${String(place)}`} className={styles["row"]}>
      <td colSpan={5} className={styles["blank"]}>
        {isPending ? <Skeleton width="100%" /> : null}
        {!isPending && isEmpty && place === 0 ? t("record.list.none") : null}
      </td>
    </tr>
  ));
}
