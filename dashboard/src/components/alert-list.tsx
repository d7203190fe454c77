// What an operator should look at now: each alert with when, why and what to do next. One row is always there, so that nothing moves when they come.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { queries } from "../api/queries.ts";
import type { Alert } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { useKiosk } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { Glyph, type GlyphName } from "../ui/glyph.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { moment } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./alert-list.module.css";

/** How many rows a wall screen has, which nobody can open. */
const onWall = 3;

export function AlertList({ zone }: { zone: string }) {
  const { data, isError, refetch } = useQuery(queries.alerts());
  const kiosk = useKiosk();
  const [isOpen, setOpen] = useState(false);
  const alerts = [...(data ?? [])].toSorted((one, other) => urgency[one.kind] - urgency[other.kind]);
  const closed = kiosk ? onWall : 1;
  const hidden = alerts.length - closed;
  return (
    <section aria-labelledby="alerts" className={styles["alerts"]} data-testid="alerts" data-count={data?.length}>
      <h2 id="alerts" className="visually-hidden">
        {t("park.alerts.heading")}
      </h2>
      {data ? (
        <ol aria-live="polite">
          {alerts.slice(0, isOpen ? undefined : closed).map((alert) => (
            <AlertRow key={`${alert.kind} ${String(alert.installation_id)} ${alert.detail}`} alert={alert} zone={zone} isLinked={!kiosk} />
          ))}
        </ol>
      ) : null}
      {alerts.length === 0 ? (
        <p className={styles["quiet"]}>
          <Quiet isKnown={data !== undefined} isError={isError} retry={() => void refetch()} />
        </p>
      ) : null}
      {hidden > 0 && kiosk ? <p className={styles["rest"]}>{t("park.alerts.more", { count: hidden })}</p> : null}
      {hidden > 0 && !kiosk ? (
        <button
          type="button"
          className={styles["rest"]}
          aria-expanded={isOpen}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          {isOpen ? t("park.alerts.fewer") : t("park.alerts.more", { count: hidden })}
        </button>
      ) : null}
    </section>
  );
}

function Quiet({ isKnown, isError, retry }: { isKnown: boolean; isError: boolean; retry: () => void }) {
  if (isKnown) {
    return (
      <>
        <Glyph name="done" size={16} />
        {t("park.alerts.none")}
      </>
    );
  }
  if (!isError) return <Skeleton width="24ch" />;
  return (
    <>
      {t("park.alerts.failed")}
      <button type="button" className={buttons["button"]} onClick={retry}>
        {t("app.problem.retry")}
      </button>
    </>
  );
}

type Kind = Alert["kind"];

/** A meter that contradicts itself goes before one that only does not answer. */
const urgency: Readonly<Record<Kind, number>> = { equivocation: 0, plausibility: 1, silent: 2, waiting: 3 };

const glyphs: Readonly<Record<Kind, GlyphName>> = {
  equivocation: "conflict",
  plausibility: "question",
  silent: "silent",
  waiting: "waiting",
};

function AlertRow({ alert, zone, isLinked }: { alert: Alert; zone: string; isLinked: boolean }) {
  const now = useNow(60_000);
  const { kind, name, installation_id: id } = alert;
  const since = instantOf(alert.since);
  const target = kind === "silent" ? `/meters/${String(id)}` : `/installations/${String(id)}`;
  return (
    <li className={styles["row"]} data-kind={kind}>
      <Glyph name={glyphs[kind]} size={20} />
      <div className={styles["words"]}>
        <p>
          <strong>{name}</strong>
          <AlertText alert={alert} />
          {since === null ? null : `, ${t("park.alerts.since", { time: moment(since, now, zone) })}`}
        </p>
        <p className={styles["next"]}>{t(`park.alerts.${kind}.next`)}</p>
      </div>
      {isLinked ? (
        <Link href={target} className={buttons["button"]}>
          {t(`park.alerts.${kind}.link`)}
          <span className="visually-hidden">{`: ${name}`}</span>
        </Link>
      ) : null}
    </li>
  );
}

const findings = [
  "power-above-rating",
  "counter-and-power-disagree",
  "future-time",
  "time-went-back",
  "equivocating-reading",
  "equivocating-chain",
  "broken-chain",
  "window-contradicts-reading",
  "overlapping-windows",
  "produced-fell",
  "energy-above-rating",
  "energy-torn-apart",
] as const;

/** Takes the place of a finding while the words around it are made. */
const placeholder = "\n";

export function AlertText({ alert: { kind, count, detail } }: { alert: Alert }) {
  if (kind === "silent" || kind === "waiting") return ` ${t(`park.alerts.${kind}.what`)}`;
  if (kind === "equivocation") return ` ${t("park.alerts.equivocation.what", { count })}`;
  // A kind of finding that is younger than this page is said in the gateway's own words.
  const finding = findings.find((known) => detail.startsWith(known));
  const [before = "", after = ""] = t("park.alerts.plausibility.what", { finding: placeholder, count }).split(placeholder);
  return (
    <>
      {` · ${before}`}
      {finding ? t(`park.finding.${finding}`) : <span lang="en">{detail}</span>}
      {after}
    </>
  );
}
