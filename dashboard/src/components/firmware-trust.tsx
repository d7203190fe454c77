// Who may sign firmware, by the newest root that this gateway has.

import type { FirmwareRoot } from "../api/firmware.ts";
import { FactList } from "../ui/fact-list.tsx";
import { dateTime } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { Digest } from "./firmware-text.tsx";
import styles from "./firmware-trust.module.css";

const roles = ["root", "release", "assignment"] as const;

export function FirmwareTrust({ root, zone }: { root: FirmwareRoot; zone: string }) {
  const added = instantOf(root.added_at);
  return (
    <>
      {root.assigned_here ? null : (
        <p className={styles["remark"]} data-tone="late">
          {t("firmware.trust.notHere")}
        </p>
      )}
      <FactList
        facts={[
          {
            id: "number",
            label: t("firmware.trust.number"),
            value: t("firmware.trust.numberText", { number: String(root.number), time: added === null ? t("firmware.noTime") : dateTime(added, zone), by: root.added_by }),
          },
          { id: "suite", label: t("firmware.trust.suite"), value: <code>{root.suite}</code> },
          ...roles.map((role) => ({
            id: role,
            label: t(`firmware.trust.${role}`),
            value: (
              <>
                {t("firmware.trust.threshold", { threshold: root[role].threshold, keys: root[role].keys.length })}
                <ul className={styles["keys"]}>
                  {root[role].keys.map((key) => (
                    <li key={key}>
                      <Digest digest={key} label={t("firmware.trust.key")} />
                    </li>
                  ))}
                </ul>
              </>
            ),
          })),
        ]}
      />
    </>
  );
}
