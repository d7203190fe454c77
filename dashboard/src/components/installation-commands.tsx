// How a meter with a running program brings itself in: the three commands.

import { CopyButton } from "../ui/copy-button.tsx";
import { t } from "../util/text.ts";
import styles from "./installation-commands.module.css";

const steps = ["key", "meter", "approve"] as const;

const commands: Readonly<Record<(typeof steps)[number], (origin: string) => string>> = {
  key: () => "wattwitness keys new meter.key",
  meter: (origin) => `wattwitness meter --shelly http://192.168.1.50 --gateway ${origin} --key meter.key`,
  approve: () => "wattwitness keys show meter.key",
};

export function InstallationCommands() {
  return (
    <ol className={styles["commands"]}>
      {steps.map((step) => {
        const title = t(`installations.commands.${step}`);
        const line = commands[step](location.origin);
        return (
          <li key={step}>
            <p>{title}</p>
            <div className={styles["command"]}>
              <code>{line}</code>
              <CopyButton content={line} label={t("installations.commands.copy", { title })} doneLabel={t("app.copied")} compact />
            </div>
          </li>
        );
      })}
    </ol>
  );
}
