// The verdict in a word and a sentence, and what computed it. It is told what the checks said and judges nothing itself.

import type { ReactNode } from "react";
import { Notice } from "../ui/notice.tsx";
import { fingerprint } from "../util/format.ts";
import { t } from "../util/text.ts";
import type { Verdict } from "../util/verify-checks.ts";
import { tones, VerdictMark } from "./verdict-mark.tsx";
import styles from "./verdict-panel.module.css";

interface VerdictPanelProps {
  /** Null until it is computed. */
  verdict: Verdict | null;
  hasFailed: boolean;
  onRetry: () => void;
  /** Of a copy that the visitor may change. */
  isCopy?: boolean;
  /** In a list, where the page around it has headings of its own. */
  isSmall?: boolean;
  children?: ReactNode;
}

export function VerdictPanel({ verdict, hasFailed, onRetry, isCopy = false, isSmall = false, children }: VerdictPanelProps) {
  if (hasFailed) {
    return <Notice title={t("proof.verdict.failed")} detail={t("proof.verdict.failedDetail")} action={t("app.problem.retry")} onAction={onRetry} />;
  }
  const name = verdict ? t(`proof.verdict.name.${verdict.overall}`) : t("proof.verdict.pending");
  const Heading = isSmall ? "p" : "h2";
  return (
    <div
      className={styles["verdict"]}
      data-testid="verdict"
      data-overall={verdict?.overall ?? "pending"}
      data-engine={verdict?.engine}
      data-copy={isCopy || undefined}
      data-small={isSmall || undefined}
    >
      <div className={styles["head"]} role="status">
        <VerdictMark tone={verdict ? tones[verdict.overall] : "pending"} size={isSmall ? 30 : 56} />
        <div>
          <Heading className={styles["name"]}>{name}</Heading>
          {verdict ? <p className={styles["explain"]}>{explained(verdict, isCopy, isSmall)}</p> : null}
        </div>
      </div>
      {children}
      {verdict ? <p className={styles["engine"]}>{t(`proof.verdict.engine.${verdict.engine}`)}</p> : null}
    </div>
  );
}

function explained({ overall, checks }: Verdict, isCopy: boolean, isSmall: boolean): string {
  const count = checks.filter(({ outcome }) => outcome === "fails").length;
  if (overall === "false") return isCopy ? t("proof.verdict.copyFalse", { count }) : t("proof.verdict.explain.false", { count });
  // The record's own page shows the key further down; in a list nothing else says whose it is.
  const key = checks.find(({ name }) => name === "key")?.found ?? null;
  if (isSmall && overall === "proven" && key !== null) return t("proof.verdict.explain.provenBy", { key: fingerprint(key) });
  return isCopy && overall === "proven" ? t("proof.verdict.copyIntact") : t(`proof.verdict.explain.${overall}`);
}
