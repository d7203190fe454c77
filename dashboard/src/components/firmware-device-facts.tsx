// How one meter is with its firmware: what its signed Boot record says, and what it last asked.

import { Link } from "wouter";
import type { FirmwareDeviceDetail } from "../api/firmware.ts";
import { FactList, type Fact } from "../ui/fact-list.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { counted, dateTimeSeconds, nothing } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { DeviceState } from "./firmware-devices.tsx";
import { Digest, WordsText } from "./firmware-text.tsx";
import { obstacleWords } from "./firmware-words.ts";
import { FetchedBytes } from "./rollout-bar.tsx";

export function FirmwareDeviceFacts({ device, zone }: { device: FirmwareDeviceDetail; zone: string }) {
  const { running_version: version, running_release: release, running_digest: digest, rollout_id: rollout } = device;
  const asked = instantOf(device.asked_at);
  const facts: Fact[] = [
    {
      id: "runs",
      label: t("firmware.device.runs"),
      value: version === null ? t("firmware.running.noBoot") : release === null ? t("firmware.device.notPublished", { version }) : <Link href={`/firmware/releases/${release}`}>{version}</Link>,
    },
    { id: "digest", label: t("firmware.running.digest"), value: <Digest digest={digest} label={t("firmware.running.digest")} /> },
    { id: "state", label: t("firmware.devices.state"), value: <DeviceState device={device} /> },
    {
      id: "fetched",
      label: t("firmware.devices.fetched"),
      value: device.total_bytes === 0 ? nothing : <FetchedBytes name={device.name} doneBytes={device.done_bytes} totalBytes={device.total_bytes} />,
    },
    {
      id: "obstacle",
      label: t("firmware.devices.obstacle"),
      value: device.obstacle === null ? t("firmware.obstacle.none") : <WordsText words={obstacleWords(device.obstacle)} />,
    },
    {
      id: "rollout",
      label: t("firmware.device.rollout"),
      value: rollout === null ? t("firmware.device.noRollout") : <Link href={`/firmware/rollouts/${String(rollout)}`}>{t("firmware.device.rolloutNumber", { number: String(rollout) })}</Link>,
    },
    { id: "hardware", label: t("firmware.facts.hardware"), value: device.hardware_class === null ? nothing : <code>{device.hardware_class}</code> },
    { id: "counter", label: t("firmware.facts.counter"), value: device.security_counter === null ? nothing : counted(device.security_counter) },
    { id: "root", label: t("firmware.device.root"), value: device.root_number === null ? nothing : String(device.root_number) },
    { id: "asked", label: t("firmware.devices.asked"), value: asked === null ? nothing : <TimeText at={asked}>{dateTimeSeconds(asked, zone)}</TimeText> },
  ];
  return <FactList facts={facts} />;
}
