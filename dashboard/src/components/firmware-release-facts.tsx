// A release in plain words: for which hardware, what keeps older ones out, who signed it, and where it runs.

import type { FirmwareRelease, FirmwareRoot } from "../api/firmware.ts";
import { FactList, type Fact } from "../ui/fact-list.tsx";
import { byteSize, counted, dateTime } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { Digest } from "./firmware-text.tsx";
import styles from "./firmware-trust.module.css";

interface FirmwareReleaseFactsProps {
  release: FirmwareRelease;
  /** By which it was trusted; undefined while it is not known. */
  root: FirmwareRoot | undefined;
  zone: string;
}

export function FirmwareReleaseFacts({ release, root, zone }: FirmwareReleaseFactsProps) {
  const whenWho = (at: string | null, by: string | null) => {
    const time = instantOf(at);
    return t("firmware.facts.whenWho", { time: time === null ? t("firmware.noTime") : dateTime(time, zone), by: by ?? "" });
  };
  const parts = [
    t("firmware.facts.image", { size: byteSize(release.image_bytes) }),
    release.config_bytes > 0 ? t("firmware.facts.config", { size: byteSize(release.config_bytes) }) : null,
    release.layout_bytes > 0 ? t("firmware.facts.layout", { size: byteSize(release.layout_bytes) }) : null,
  ].filter((part) => part !== null);
  const facts: Fact[] = [
    { id: "hardware", label: t("firmware.facts.hardware"), value: <code>{release.hardware_class}</code> },
    { id: "counter", label: t("firmware.facts.counter"), value: t("firmware.facts.counterText", { counter: counted(release.security_counter) }) },
    { id: "content", label: t("firmware.facts.content"), value: parts.join(", ") },
    { id: "suite", label: t("firmware.facts.suite"), value: <code>{release.suite}</code> },
    {
      id: "signers",
      label: t("firmware.facts.signers"),
      value: (
        <>
          {root
            ? t("firmware.facts.signersOf", { signers: release.signers.length, threshold: root.release.threshold, root: String(release.root_number) })
            : t("firmware.facts.signersText", { signers: release.signers.length, root: String(release.root_number) })}
          <ul className={styles["keys"]}>
            {release.signers.map((signer) => (
              <li key={signer}>
                <Digest digest={signer} label={t("firmware.trust.key")} />
              </li>
            ))}
          </ul>
        </>
      ),
    },
    { id: "installed", label: t("firmware.facts.installed"), value: t("firmware.facts.installedText", { count: release.installed }) },
    { id: "digest", label: t("firmware.facts.digest"), value: <Digest digest={release.digest} label={t("firmware.facts.digest")} /> },
    { id: "payload", label: t("firmware.facts.payload"), value: <Digest digest={release.payload_digest} label={t("firmware.facts.payload")} /> },
    { id: "published", label: t("firmware.facts.published"), value: whenWho(release.published_at, release.published_by) },
  ];
  if (release.state === "withdrawn") {
    facts.push({ id: "withdrawn", label: t("firmware.facts.withdrawn"), value: whenWho(release.withdrawn_at, release.withdrawn_by) });
  }
  return <FactList facts={facts} />;
}
