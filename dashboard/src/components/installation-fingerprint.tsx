// The deliberate step before a key is trusted: the fingerprint on the meter against the one that the gateway was told. No single click passes it.

import { useState } from "react";
import { CheckField, TextField } from "../ui/field.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { t } from "../util/text.ts";
import { compareFingerprint, type Comparison } from "./installation-comparison.ts";
import styles from "./installation-fingerprint.module.css";

/** What was done to compare: digits typed off the meter, or each group ticked by itself. */
export interface FingerprintProof {
  typed: string;
  ticked: readonly boolean[];
}

export const notCompared: FingerprintProof = { typed: "", ticked: [false, false, false, false] };

/** Null when the fingerprint was compared and is the same; else what is to be said. */
export function fingerprintProblem({ typed, ticked }: FingerprintProof, meterId: string): string | null {
  const comparison = compareFingerprint(typed, meterId);
  if (comparison.differs) return t("installations.fingerprint.differs");
  if (comparison.isSame || (typed.trim() === "" && ticked.every(Boolean))) return null;
  return t("installations.fingerprint.missing");
}

interface FingerprintCheckProps {
  meterId: string;
  proof: FingerprintProof;
  onChange: (proof: FingerprintProof) => void;
}

export function FingerprintCheck({ meterId, proof, onChange }: FingerprintCheckProps) {
  const comparison = compareFingerprint(proof.typed, meterId);
  const [byEye, setByEye] = useState(false);
  const isSame = fingerprintProblem(proof, meterId) === null;
  const verdict = comparison.differs ? "differs" : isSame ? "same" : "open";
  return (
    <div className={styles["check"]}>
      <Groups comparison={comparison} isTyped={proof.typed.trim() !== ""} />
      <TextField
        name="fingerprint"
        label={t("installations.fingerprint.typed")}
        hint={t("installations.fingerprint.hint")}
        mono
        value={proof.typed}
        onChange={(typed) => {
          onChange({ ...proof, typed });
        }}
      />
      <p className={styles["verdict"]} data-verdict={verdict} role="status" data-testid="fingerprint-verdict">
        {verdict === "open" ? null : <Glyph name={verdict === "same" ? "own" : "silent"} />}
        <span>{t(`installations.fingerprint.verdict.${verdict}`)}</span>
      </p>
      {comparison.differs ? (
        <ul className={styles["differences"]}>
          {comparison.groups.map((group, place) =>
            group.verdict === "differs" ? (
              <li key={group.expected + String(place)}>
                {t("installations.fingerprint.difference", { group: place + 1, told: group.expected, typed: group.typed })}
              </li>
            ) : null,
          )}
          <li>{t("installations.fingerprint.whatThen")}</li>
        </ul>
      ) : null}
      <details
        className={styles["eye"]}
        open={byEye}
        onToggle={(event) => {
          setByEye(event.currentTarget.open);
        }}
      >
        <summary>{t("installations.fingerprint.byEye")}</summary>
        <div className={styles["ticks"]} role="group" aria-label={t("installations.fingerprint.byEye")}>
          {comparison.groups.map(({ expected }, place) => (
            <CheckField
              key={expected + String(place)}
              name={`group${String(place)}`}
              label={t("installations.fingerprint.tick", { group: place + 1, digits: expected })}
              checked={proof.ticked[place] ?? false}
              onChange={(checked) => {
                onChange({ ...proof, ticked: proof.ticked.with(place, checked) });
              }}
            />
          ))}
        </div>
      </details>
    </div>
  );
}

const marks = { same: "done", differs: "silent", missing: null } as const;

function Groups({ comparison, isTyped }: { comparison: Comparison; isTyped: boolean }) {
  return (
    <div className={styles["told"]}>
      <p>{t("installations.fingerprint.told")}</p>
      <p className={styles["groups"]} data-testid="fingerprint">
        {comparison.groups.map(({ expected, verdict }, place) => {
          const mark = isTyped ? marks[verdict] : null;
          return (
            <span key={expected + String(place)} data-verdict={isTyped ? verdict : undefined}>
              <code>{expected}</code>
              <span className={styles["mark"]}>
                {mark === null ? null : <Glyph name={mark} size={16} />}
                {isTyped && verdict !== "missing" ? (
                  <span className="visually-hidden">{t(`installations.fingerprint.group.${verdict}`)}</span>
                ) : null}
              </span>
            </span>
          );
        })}
      </p>
    </div>
  );
}
