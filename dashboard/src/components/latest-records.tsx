// The newest records with their signature state; one of them may be open. The address holds which.

import { useState } from "react";
import type { Installation, Reading } from "../api/types.ts";
import { signatureState } from "../api/signature-state.ts";
import { useLatestRecords } from "../hooks/park.ts";
import { useUrlParameter } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { clock, counter, power } from "../util/format.ts";
import { knownZone } from "../util/instant.ts";
import { text } from "../util/strings.ts";
import { LinkedRecord, RecordDetail } from "./record-detail.tsx";
import styles from "./latest-records.module.css";

/** Always this many lines, filled or not, so that the page below never moves. */
const lines = 10;

const all = "all";

export function LatestRecords({ installations }: { installations: readonly Installation[] | null }) {
  const [meter, setMeter] = useUrlParameter("meter");
  const [openKey, setOpenKey] = useUrlParameter("record");
  // While a record is open the list stands still: what one reads must not be pushed away every few seconds.
  const [held, setHeld] = useState<readonly Reading[] | null>(null);

  const measuring = installations?.filter(({ state }) => state !== "waiting") ?? [];
  const chosen = measuring.filter(({ id }) => String(id) === meter);
  const { records, isPending, error, retry } = useLatestRecords(chosen.length > 0 ? chosen : measuring);
  const newest = records.slice(0, lines);
  const shown = openKey !== null && held !== null ? held : newest;
  const newer = openKey === null ? 0 : records.filter(({ timestamp }) => timestamp > (shown[0]?.timestamp ?? 0)).length;
  const byId = new Map(measuring.map((installation) => [installation.id, installation]));
  const isListed = openKey === null || shown.some((reading) => keyOf(reading) === openKey);

  const open = (key: string | null) => {
    setHeld(key === null ? null : shown);
    setOpenKey(key);
  };

  return (
    <section aria-labelledby="records">
      <div className={styles["head"]}>
        <h2 id="records">{text.records.heading}</h2>
        <p className={styles["explain"]}>{text.records.explain}</p>
        <div className={styles["bar"]}>
          {measuring.length > 1 ? (
            <Choice
              label={text.records.filter}
              options={[
                { value: all, label: text.records.allMeters },
                ...measuring.map(({ id, name }) => ({ value: String(id), label: name })),
              ]}
              value={chosen.length > 0 ? (meter ?? all) : all}
              onChange={(value) => {
                setHeld(null);
                setOpenKey(null);
                setMeter(value === all ? null : value);
              }}
            />
          ) : null}
          {openKey === null ? null : (
            <p className={styles["held"]}>
              <span>{text.records.held(newer)}</span>
              <button
                type="button"
                className={buttons["button"]}
                onClick={() => {
                  open(null);
                }}
              >
                {text.records.resume}
              </button>
            </p>
          )}
        </div>
      </div>
      {openKey !== null && !isListed ? <LinkedRecord recordKey={openKey} /> : null}
      {error ? (
        <Notice title={text.records.failed} detail={error.message} action={text.problem.retry} onAction={retry} />
      ) : (
        <table className={styles["table"]} aria-labelledby="records">
          <thead>
            <tr>
              <th scope="col">{text.records.time}</th>
              <th scope="col" className={styles["wide"]}>
                {text.records.meter}
              </th>
              <th scope="col" className={styles["number"]}>
                {text.records.power}
              </th>
              <th scope="col" className={`${styles["number"] ?? ""} ${styles["wide"] ?? ""}`}>
                {text.records.total}
              </th>
              <th scope="col" className={styles["signature"]}>
                {text.records.signature}
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
                  isOpen={key === openKey}
                  onToggle={() => {
                    open(key === openKey ? null : key);
                  }}
                />
              );
            })}
            <EmptyLines count={lines - shown.length} isPending={installations === null || isPending} isEmpty={shown.length === 0} />
          </tbody>
        </table>
      )}
    </section>
  );
}

/** How the address names a record. */
function keyOf(reading: Reading): string {
  return `${String(reading.installation_id)}-${String(reading.id)}`;
}

interface RecordRowProps {
  reading: Reading;
  installation: Installation | undefined;
  isOpen: boolean;
  onToggle: () => void;
}

function RecordRow({ reading, installation, isOpen, onToggle }: RecordRowProps) {
  const zone = knownZone(installation?.timezone);
  const time = clock(reading.timestamp * 1000, zone);
  const name = installation?.name ?? "–";
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
            aria-label={text.records.open(time, name)}
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
        <td className={styles["number"]}>{reading.power_w === null ? text.records.failedPoll : power(reading.power_w)}</td>
        <td className={`${styles["number"] ?? ""} ${styles["wide"] ?? ""}`}>{counter(reading.total_wh)}</td>
        <td className={styles["signature"]}>
          <span className={styles["seal"]} data-state={state}>
            <Glyph name={state} />
            <span className={styles["wide"]}>{text.signature[state].name}</span>
            <span className={styles["narrow"]}>{text.signature[state].short}</span>
          </span>
        </td>
      </tr>
      {isOpen ? (
        <tr id={detailId}>
          <td colSpan={5} className={styles["detail"]}>
            <RecordDetail reading={reading} />
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
        {!isPending && isEmpty && place === 0 ? text.records.none : null}
      </td>
    </tr>
  ));
}
