// How everything between the meter and this page is: the internet, the meter, the gateway, and all of it together; each with since when and why.

import { useQuery } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";
import { meterState } from "../api/meter-state.ts";
import { queries } from "../api/queries.ts";
import type { Installation, ParkStatus } from "../api/types.ts";
import { useLiveStream } from "../hooks/live-stream.ts";
import { useNow } from "../hooks/now.ts";
import { useSession } from "../hooks/session.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { clock, moment } from "../util/format.ts";
import { instantOf, knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { StateLine } from "./meter-strip.tsx";
import styles from "./meter-status.module.css";

export function MeterStatus({ installation, all }: { installation: Installation; all: readonly Installation[] }) {
  const status = useQuery(queries.status()).data;
  const zone = knownZone(installation.timezone);
  const own = status?.installations.find(({ installation_id }) => installation_id === installation.id);
  const successor = all.find(({ id }) => id === installation.replaced_by)?.name ?? null;
  return (
    <section aria-labelledby="meter-status">
      <h2 id="meter-status" className={styles["heading"]}>
        {t("meter.status.heading")}
      </h2>
      <div className={styles["parts"]}>
        <Part label={t("meter.status.meter")}>
          <StateLine installation={installation} state={meterState(installation, own)} successor={successor} zone={zone} />
        </Part>
        <Part label={t("meter.status.gateway")}>
          <Gateway time={instantOf(status?.time)} since={instantOf(status?.gateway_since)} zone={zone} />
        </Part>
        <Part label={t("meter.status.internet")}>
          {status ? <Internet internet={status.internet} zone={zone} /> : <Skeleton width="8rem" />}
        </Part>
        <Part label={t("meter.status.overall")}>{status ? <Overall status={status} zone={zone} /> : <Skeleton width="8rem" />}</Part>
      </div>
    </section>
  );
}

function Part({ label, children }: { label: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className={styles["part"]} aria-labelledby={id}>
      <h3 id={id} className={styles["label"]}>
        {label}
      </h3>
      {children}
    </section>
  );
}

type Tone = "good" | "doubtful" | "bad" | "unknown";

function Line({ tone, name, since, why, zone }: { tone: Tone; name: string; since: number | null; why: string; zone: string }) {
  const now = useNow(60_000);
  return (
    <>
      <p className={styles["state"]} data-tone={tone}>
        <span className={styles["dot"]} aria-hidden="true" />
        <span>
          <strong>{name}</strong>
          {since === null ? null : ` ${t("app.state.since", { time: moment(since, now, zone) })}`}
        </span>
      </p>
      <p className={styles["why"]}>{why}</p>
    </>
  );
}

function Gateway({ time, since, zone }: { time: number | null; since: number | null; zone: string }) {
  const { phase, lostAt, heardAt } = useLiveStream();
  const version = useSession()?.version;
  if (phase === "waiting") {
    return <Line tone="bad" name={t("meter.status.gone")} since={lostAt} why={t("meter.status.goneWhy")} zone={zone} />;
  }
  const heard = heardAt ?? time;
  const why = [
    version === undefined ? null : t("meter.status.version", { version }),
    heard === null ? t("meter.status.noTime") : t("meter.status.heard", { time: clock(heard, zone) }),
  ];
  return <Line tone="good" name={t("meter.status.answers")} since={since} why={why.filter(Boolean).join(" ")} zone={zone} />;
}

const internetTones = { reachable: "good", unreachable: "bad", unknown: "unknown" } as const;

function Internet({ internet: { state, since }, zone }: { internet: ParkStatus["internet"]; zone: string }) {
  return (
    <Line
      tone={internetTones[state]}
      name={t(`meter.status.internet.${state}`)}
      since={instantOf(since)}
      why={t(`meter.status.internet.${state}.why`)}
      zone={zone}
    />
  );
}

const healthTones = { healthy: "good", degraded: "doubtful", unhealthy: "bad" } as const;

function Overall({ status: { status, since, installations }, zone }: { status: ParkStatus; zone: string }) {
  const inService = installations.filter(({ decision }) => decision === "active");
  const live = inService.filter(({ liveness }) => liveness === "live").length;
  return (
    <Line
      tone={healthTones[status]}
      name={t(`meter.status.overall.${status}`)}
      since={instantOf(since)}
      why={t("meter.status.overall.why", { live, count: inService.length })}
      zone={zone}
    />
  );
}
