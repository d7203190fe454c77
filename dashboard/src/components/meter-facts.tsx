// What one meter is: its key, its firmware, its sensor, what it was enrolled as, and what it last said of itself.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { knownUntil } from "../api/meter-state.ts";
import { queries } from "../api/queries.ts";
import type { Installation, InstallationDetail } from "../api/types.ts";
import { useNow } from "../hooks/now.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import {
  byteSize,
  counted,
  dateTime,
  degrees,
  duration,
  exact,
  fingerprint,
  groups,
  nothing,
  power,
  signalStrength,
  temperature,
} from "../util/format.ts";
import { instantOf, knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { termOf } from "./terms.ts";
import styles from "./meter-facts.module.css";

export function MeterFacts({ installation }: { installation: Installation }) {
  const { data, error, refetch } = useQuery(queries.watchedInstallation(installation.id));
  const zone = knownZone(installation.timezone);
  return (
    <section aria-labelledby="meter-facts">
      <h2 id="meter-facts" className={styles["heading"]}>
        {t("meter.facts.heading")}
      </h2>
      {error && !data ? (
        <Notice title={t("meter.facts.failed")} action={t("app.problem.retry")} onAction={() => void refetch()} />
      ) : (
        <div className={styles["columns"]}>
          <Identity installation={installation} detail={data} />
          <Device detail={data} zone={zone} />
          <Enrolment installation={installation} detail={data} zone={zone} />
        </div>
      )}
    </section>
  );
}

interface Detailed {
  /** Undefined until it has been answered. */
  detail: InstallationDetail | undefined;
}

function Identity({ installation, detail }: { installation: Installation } & Detailed) {
  const { name, meter_id: meterId, public_key: publicKey, shelly_mac: mac, sensor_model: model } = installation;
  return (
    <Facts heading={t("meter.facts.identity")}>
      <Fact label={t("meter.facts.name")}>{name}</Fact>
      <Fact label={t("meter.facts.fingerprint")}>
        <Copied content={meterId} label={t("meter.facts.copyFingerprint")}>
          {fingerprint(meterId)}
        </Copied>
      </Fact>
      <Fact label={t("meter.facts.key")}>
        <Copied content={publicKey} label={t("meter.facts.copyKey")}>
          {`${publicKey.slice(0, 16)}…`}
        </Copied>
      </Fact>
      <Fact label={t("meter.facts.mac")}>{mac === null ? nothing : <code>{groups(mac, 2).join(":")}</code>}</Fact>
      <Fact label={t("meter.facts.sensor")}>{model === null ? nothing : termOf("sensor", model)}</Fact>
      <Later detail={detail} label={t("meter.facts.custody")}>
        {({ enrolment }) => (enrolment ? termOf("custody", enrolment.custody) : nothing)}
      </Later>
    </Facts>
  );
}

function Device({ detail, zone }: Detailed & { zone: string }) {
  const now = useNow(60_000);
  return (
    <Facts heading={t("meter.facts.device")}>
      <Later detail={detail} label={t("meter.facts.firmware")}>
        {({ last_boot: boot, meter_id: meter }) =>
          boot ? <Link href={`/firmware/devices/${meter}`}>{t("meter.facts.version", { version: boot.firmware_version })}</Link> : nothing
        }
      </Later>
      <Later detail={detail} label={t("meter.facts.digest")}>
        {({ last_boot: boot, firmware_digest: digest }) => {
          const claimed = boot?.firmware_digest ?? digest;
          return claimed === null ? (
            nothing
          ) : (
            <Copied content={claimed} label={t("meter.facts.copyDigest")}>
              {fingerprint(claimed)}
            </Copied>
          );
        }}
      </Later>
      <Later detail={detail} label={t("meter.facts.boots")}>
        {({ last_boot: boot }) =>
          boot ? t("meter.facts.bootsText", { count: counted(boot.boot), reason: termOf("reset", boot.reset_reason) }) : nothing
        }
      </Later>
      <Later detail={detail} label={t("meter.facts.uptime")}>
        {(shown) => {
          const started = shown.last_boot?.timestamp ?? null;
          if (started === null) return nothing;
          const until = knownUntil(shown, now);
          const values = { duration: duration(until - started * 1000), time: dateTime(started * 1000, zone) };
          return until === now ? t("meter.facts.uptimeText", values) : t("meter.facts.uptimeHeard", { ...values, heard: dateTime(until, zone) });
        }}
      </Later>
      <Later detail={detail} label={t("meter.facts.queue")}>
        {({ status_report: report }) =>
          report
            ? t("meter.facts.queueText", { readings: report.queued_readings, records: report.queued_records })
            : t("meter.facts.noReport")
        }
      </Later>
      <Later detail={detail} label={t("meter.facts.report")}>
        {({ status_report: report }) => (report ? reportText(report, zone) : nothing)}
      </Later>
    </Facts>
  );
}

function reportText(report: NonNullable<InstallationDetail["status_report"]>, zone: string): string {
  const { timestamp, received_at: receivedAt, signal_strength_dbm: signal, free_memory_bytes: memory, temperature_c: celsius } = report;
  const made = timestamp === null ? instantOf(receivedAt) : timestamp * 1000;
  const parts = [
    made === null ? null : dateTime(made, zone),
    celsius === null ? null : temperature(celsius),
    signal === null ? null : signalStrength(signal),
    memory === null ? null : t("meter.facts.memory", { size: byteSize(memory) }),
    t("meter.facts.sensorFailures", { count: report.sensor_failures }),
  ];
  return parts.filter((part) => part !== null).join(" · ");
}

function Enrolment({ installation, detail, zone }: { installation: Installation; zone: string } & Detailed) {
  const { rated_power_w: rated } = installation;
  return (
    <Facts heading={t("meter.facts.plant")}>
      <Fact label={t("meter.facts.capacity")}>{power(rated)}</Fact>
      <Later detail={detail} label={t("meter.facts.channel")}>
        {({ enrolment }) =>
          enrolment
            ? t("meter.facts.channelText", { channel: String(enrolment.channel), counter: termOf("counter", enrolment.production_counter) })
            : nothing
        }
      </Later>
      <Later detail={detail} label={t("meter.facts.transformer")}>
        {({ enrolment }) => {
          if (!enrolment) return nothing;
          const ratio = enrolment.ct_ratio_milli;
          return ratio === 1000 ? t("meter.facts.noTransformer") : exact(BigInt(ratio), 3, "");
        }}
      </Later>
      <Later detail={detail} label={t("meter.facts.place")}>
        {({ enrolment }) => (enrolment ? placeText(enrolment) : nothing)}
      </Later>
      <Fact label={t("meter.facts.zone")}>{zone.replaceAll("_", " ")}</Fact>
      <Later detail={detail} label={t("meter.facts.enrolment")}>
        {({ enrolment }) => {
          if (!enrolment) return t("meter.facts.notEnrolled");
          const signed = instantOf(enrolment.time);
          const values = { number: String(enrolment.number), time: signed === null ? nothing : dateTime(signed, zone) };
          return enrolment.accepted ? t("meter.facts.accepted", values) : t("meter.facts.notAccepted", values);
        }}
      </Later>
    </Facts>
  );
}

function placeText(enrolment: NonNullable<InstallationDetail["enrolment"]>): string {
  const { latitude_e7: latitude, longitude_e7: longitude, tilt_decidegrees: tilt, azimuth_decidegrees: azimuth } = enrolment;
  const parts = [
    latitude === null || longitude === null ? null : `${degrees(latitude, 7)}, ${degrees(longitude, 7)}`,
    tilt === null || azimuth === null ? null : t("meter.facts.orientation", { tilt: degrees(tilt, 1), azimuth: degrees(azimuth, 1) }),
  ].filter((part) => part !== null);
  return parts.length === 0 ? t("meter.facts.noPlace") : parts.join(" · ");
}

function Facts({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <section className={styles["group"]}>
      <h3 className={styles["subheading"]}>{heading}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles["fact"]}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A fact that is known once the meter's detail is here. */
function Later({ detail, label, children }: Detailed & { label: string; children: (detail: InstallationDetail) => ReactNode }) {
  return <Fact label={label}>{detail ? children(detail) : <Skeleton width="8rem" />}</Fact>;
}

function Copied({ content, label, children }: { content: string; label: string; children: ReactNode }) {
  return (
    <span className={styles["copied"]}>
      <code>{children}</code>
      <CopyButton content={content} label={label} doneLabel={t("app.copied")} compact />
    </span>
  );
}
