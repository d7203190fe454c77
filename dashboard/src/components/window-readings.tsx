// The readings of a window, each leading to its own page. Their power is the gateway's figure, which the window's verdict holds against the bytes.

import { useState } from "react";
import { Link } from "wouter";
import type { WindowDetail } from "../api/types.ts";
import buttons from "../ui/button.module.css";
import { clock, counted, counter, power } from "../util/format.ts";
import { cutFields, fieldOf } from "../util/record-fields.ts";
import { flagsText } from "../util/record-text.ts";
import { t } from "../util/text.ts";
import { fromMilli } from "../util/verify-checks.ts";
import styles from "./window-readings.module.css";

/** As many as show what a window is; all of them follow on demand. */
const shownFirst = 10;

export function WindowReadings({ window, zone }: { window: WindowDetail; zone: string }) {
  const [isWhole, setIsWhole] = useState(false);
  const { readings, installation_id: installation } = window;
  const shown = isWhole ? readings : readings.slice(0, shownFirst);
  return (
    <>
      <table className={styles["readings"]} aria-labelledby="readings">
        <thead>
          <tr>
            <th scope="col">{t("proof.window.number")}</th>
            <th scope="col">{t("proof.window.time")}</th>
            <th scope="col" data-number>
              {t("proof.window.power")}
            </th>
            <th scope="col" data-number data-wide>
              {t("proof.window.produced")}
            </th>
            <th scope="col" data-wide>
              {t("proof.window.flags")}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ id, sequence, timestamp, power_w, record }) => {
            const fields = cutFields(record) ?? [];
            return (
              <tr key={id} data-testid="window-reading">
                <th scope="row">
                  <Link href={`/meters/${String(installation)}/readings/${String(id)}`}>{counted(sequence)}</Link>
                </th>
                <td>{timestamp === null ? t("proof.page.noTime") : clock(timestamp * 1000, zone)}</td>
                <td data-number>{power_w === null ? t("proof.page.failedPoll") : power(power_w)}</td>
                <td data-number data-wide>
                  {counter(fromMilli(fieldOf(fields, "produced")?.value ?? null))}
                </td>
                <td data-wide>{flagsText(Number(fieldOf(fields, "flags")?.value ?? 0n), 1)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {readings.length <= shown.length ? null : (
        <button
          type="button"
          className={buttons["button"]}
          onClick={() => {
            setIsWhole(true);
          }}
        >
          {t("proof.window.all", { count: readings.length })}
        </button>
      )}
    </>
  );
}
