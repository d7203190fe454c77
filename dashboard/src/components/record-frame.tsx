// The frame of a record's page: where it is, its name, and beside what the page shows of it the verdict, which stays in sight.

import type { ReactNode } from "react";
import { Link } from "wouter";
import { Glyph } from "../ui/glyph.tsx";
import { t } from "../util/text.ts";
import type { Verdict } from "../util/verify-checks.ts";
import { tones, VerdictMark } from "./verdict-mark.tsx";
import styles from "./record-frame.module.css";

interface RecordFrameProps {
  meter: { id: number; name: string };
  heading: string;
  /** When it was measured. */
  time: string;
  /** Records before and after it. */
  neighbours?: ReactNode;
  aside: ReactNode;
  /** The verdict on a copy that is being changed: it stays in sight where there is no room beside the bytes. */
  forged: Verdict | null;
  children: ReactNode;
}

export function RecordFrame({ meter, heading, time, neighbours, aside, forged, children }: RecordFrameProps) {
  return (
    <article className={styles["page"]}>
      <title>{t("app.pageTitle", { page: `${heading} · ${meter.name}` })}</title>
      <header className={styles["head"]}>
        <nav aria-label={t("proof.page.trail")} className={styles["trail"]}>
          <Link href="/">{t("app.nav.park")}</Link>
          <Glyph name="chevron" size={14} />
          <Link href={`/meters/${String(meter.id)}`}>{meter.name}</Link>
        </nav>
        {neighbours}
        <h1>{heading}</h1>
        <p className={styles["time"]}>{time}</p>
      </header>
      <div className={styles["columns"]}>
        <div className={styles["aside"]}>{aside}</div>
        <div className={styles["main"]}>{children}</div>
      </div>
      {forged === null ? null : (
        <p className={styles["bar"]} data-overall={forged.overall} aria-hidden="true">
          <VerdictMark tone={tones[forged.overall]} size={24} />
          {t(`proof.verdict.name.${forged.overall}`)}
        </p>
      )}
    </article>
  );
}

/** A part of a record's page. */
export function RecordPart({ id, heading, explain, children }: { id: string; heading: string; explain?: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className={styles["part"]}>
      <h2 id={id}>{heading}</h2>
      {explain === undefined ? null : <p className={styles["explain"]}>{explain}</p>}
      {children}
    </section>
  );
}
