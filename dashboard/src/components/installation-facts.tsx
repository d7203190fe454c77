// What holds of a meter: what an operator signed of it, or what it proposes while it waits.

import type { Installation, InstallationDetail } from "../api/types.ts";
import { Link } from "wouter";
import { CopyButton } from "../ui/copy-button.tsx";
import { FactList, type Fact } from "../ui/fact-list.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { dateTime, degrees, exact, fingerprint, nothing, power } from "../util/format.ts";
import { instantOf, knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { spacedMac } from "./installation-draft.ts";
import { counterName, sensorName } from "./installation-words.ts";
import { termOf } from "./terms.ts";
import styles from "./installation-facts.module.css";

interface FactsProps {
  installation: InstallationDetail;
  others: readonly Installation[];
}

export function InstallationFacts({ installation, others }: FactsProps) {
  const { enrolment, meter_id, timezone, created_at, replaces, replaced_by } = installation;
  const zone = knownZone(timezone);
  const announced = instantOf(created_at);
  const facts: Fact[] = [
    {
      id: "meter",
      label: t("installations.fact.meterId"),
      value: (
        <span className={styles["id"]}>
          <code title={meter_id}>{fingerprint(meter_id)}</code>
          <CopyButton content={meter_id} label={t("installations.fact.copyId")} doneLabel={t("app.copied")} compact />
        </span>
      ),
    },
    { id: "zone", label: t("installations.field.timeZone.label"), value: timezone.replaceAll("_", " ") },
    {
      id: "announced",
      label: t("installations.list.announced"),
      value: announced === null ? nothing : <TimeText at={announced}>{dateTime(announced, zone)}</TimeText>,
    },
  ];
  if (enrolment) {
    const { latitude_e7: latitude, longitude_e7: longitude, tilt_decidegrees: tilt, azimuth_decidegrees: azimuth } = enrolment;
    facts.push(
      { id: "rated", label: t("installations.field.ratedPower.label"), value: power(enrolment.rated_power_w) },
      { id: "sensor", label: t("installations.field.sensorModel.label"), value: sensorName(enrolment.sensor_model) },
      { id: "mac", label: t("installations.field.mac.label"), value: <code>{spacedMac(enrolment.shelly_mac)}</code> },
      { id: "channel", label: t("installations.field.channel.label"), value: String(enrolment.channel) },
      { id: "counter", label: t("installations.field.counter.label"), value: counterName(enrolment.production_counter) },
      { id: "ratio", label: t("installations.field.ctRatio.label"), value: enrolment.ct_ratio_milli === 1000 ? t("installations.fact.noTransformer") : exact(BigInt(enrolment.ct_ratio_milli), 3, "") },
      {
        id: "place",
        label: t("installations.fact.place"),
        value: latitude === null || longitude === null ? nothing : `${degrees(latitude, 7)}, ${degrees(longitude, 7)}`,
      },
      { id: "tilt", label: t("installations.field.tilt.label"), value: tilt === null ? nothing : degrees(tilt, 1) },
      { id: "azimuth", label: t("installations.field.azimuth.label"), value: azimuth === null ? nothing : degrees(azimuth, 1) },
      { id: "grid", label: t("installations.field.gridConnection.label"), value: enrolment.grid_connection ?? nothing },
      { id: "custody", label: t("installations.field.custody.label"), value: termOf("custody", enrolment.custody) },
      {
        id: "enrolment",
        label: t("installations.fact.enrolment"),
        value: t(enrolment.accepted ? "installations.fact.accepted" : "installations.fact.unaccepted", { number: enrolment.number }),
      },
    );
  }
  const neighbours = [
    ["installations.fact.replaces", replaces],
    ["installations.fact.replacedBy", replaced_by],
  ] as const;
  for (const [label, id] of neighbours) {
    if (id === null) continue;
    const name = others.find((other) => other.id === id)?.name ?? String(id);
    facts.push({ id: label, label: t(label), value: <Link href={`/installations/${String(id)}`}>{name}</Link> });
  }
  return <FactList facts={facts} />;
}
