// The checks of a verdict, each with what it was held against, and where it fails, what had to be and what was.

import { fingerprint } from "../util/format.ts";
import { t } from "../util/text.ts";
import type { Check, Difference } from "../util/verify-checks.ts";
import { Hex } from "./byte-hex.tsx";
import { VerdictMark } from "./verdict-mark.tsx";
import styles from "./verdict-checks.module.css";

/** As many as are read at a glance. */
const differencesShown = 6;

export function VerdictChecks({ checks }: { checks: readonly Check[] }) {
  return (
    <ul className={styles["checks"]}>
      {checks.map((check) => (
        <li key={check.name} data-testid={`check-${check.name}`} data-outcome={check.outcome}>
          <VerdictMark tone={check.outcome} size={22} />
          <div className={styles["words"]}>
            <p className={styles["claim"]}>
              {t(`proof.check.${check.name}.claim`)}
              <span className={styles["outcome"]} data-visible={check.outcome !== "holds" || undefined}>
                {t(`proof.verdict.outcome.${check.outcome}`)}
              </span>
            </p>
            {check.outcome === "holds" && check.why === null ? (
              <p className={styles["against"]}>{t(`proof.check.${check.name}.against`, textsOf(check))}</p>
            ) : null}
            {check.why === null ? null : <p className={styles["why"]}>{t(`proof.why.${check.why}`, { detail: check.detail ?? "" })}</p>}
            {check.outcome === "fails" ? <Evidence check={check} /> : null}
          </div>
        </li>
      ))}
    </ul>
  );
}

function textsOf({ expected, found }: Check): { expected: string; found: string } {
  return { expected: shortened(expected), found: shortened(found) };
}

function shortened(value: string | null): string {
  if (value === null) return "";
  return /^[0-9a-f]{64,}$/.test(value) ? fingerprint(value) : value;
}

function isHash(value: string | null): value is string {
  return value !== null && /^[0-9a-f]{64}$/.test(value);
}

function Evidence({ check: { expected, found, differences } }: { check: Check }) {
  const shown = differences.slice(0, differencesShown);
  return (
    <>
      {isHash(expected) && isHash(found) ? (
        <dl className={styles["evidence"]}>
          <div>
            <dt>{t("proof.check.mustBe")}</dt>
            <dd>
              <Hex hex={expected} />
            </dd>
          </div>
          <div>
            <dt>{t("proof.check.is")}</dt>
            <dd>
              <Hex hex={found} against={expected} />
            </dd>
          </div>
        </dl>
      ) : null}
      {shown.length === 0 ? null : (
        <ul className={styles["differences"]}>
          {shown.map((difference) => (
            <li key={`${difference.value} ${String(difference.shown)}`}>{differenceText(difference)}</li>
          ))}
          {differences.length > shown.length ? <li>{t("proof.check.moreDifferences", { count: differences.length - shown.length })}</li> : null}
        </ul>
      )}
    </>
  );
}

function differenceText({ value, shown, signed }: Difference): string {
  return t("proof.check.difference", { value, shown: shown ?? t("proof.check.nothing"), signed: signed ?? t("proof.check.nothing") });
}

