// What comes next where there is no firmware yet: who may sign it, how a release is made, and how it gets here, as commands.

import { CopyButton } from "../ui/copy-button.tsx";
import { t } from "../util/text.ts";
import styles from "./installation-commands.module.css";

const commands = {
  root: (origin: string) => `wattwitness keys root publish root-1.cbor --gateway ${origin} --api-key-file firmware.key`,
  build: () => "wattwitness firmware build meter.elf meter-1.0.0.wwr --version 1.0.0 --security-counter 1 --hardware-class UUID --fleet-key fleet.key",
  sign: () => "wattwitness firmware sign meter-1.0.0.wwr --key anna.key",
  publish: (origin: string) => `wattwitness firmware publish meter-1.0.0.wwr --root root-1.cbor --gateway ${origin} --api-key-file firmware.key`,
} as const;

const releaseSteps = ["build", "sign", "publish"] as const;

/** The steps to a first release; without a root, that one comes first. */
export function FirmwareCommands({ hasRoot }: { hasRoot: boolean }) {
  const steps: readonly (keyof typeof commands)[] = hasRoot ? releaseSteps : ["root", ...releaseSteps];
  return (
    <ol className={styles["commands"]} data-testid="firmware-commands">
      {steps.map((step, place) => {
        const title = t("firmware.commands.numbered", { number: String(place + 1), step: t(`firmware.commands.${step}`) });
        const line = commands[step](location.origin);
        return (
          <li key={step}>
            <p>{title}</p>
            <div className={styles["command"]}>
              <code>{line}</code>
              <CopyButton content={line} label={t("firmware.copy", { what: title })} doneLabel={t("app.copied")} compact />
            </div>
          </li>
        );
      })}
    </ol>
  );
}
