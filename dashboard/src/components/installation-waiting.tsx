// The meters that wait for an operator, with the call to act: nothing of theirs is taken before.

import { Link } from "wouter";
import type { Installation } from "../api/types.ts";
import { useMay } from "../hooks/session.ts";
import buttons from "../ui/button.module.css";
import { Glyph } from "../ui/glyph.tsx";
import { fingerprint } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./installation-waiting.module.css";

export function InstallationWaiting({ waiting }: { waiting: readonly Installation[] }) {
  const may = useMay("operator").allowed;
  if (waiting.length === 0) return null;
  return (
    <section className={styles["waiting"]} aria-labelledby="waiting" data-testid="waiting">
      <h2 id="waiting">
        <Glyph name="waiting" size={20} />
        <span>{t("installations.waiting.heading", { count: waiting.length })}</span>
      </h2>
      <p>{t("installations.waiting.lead")}</p>
      <ul>
        {waiting.map(({ id, name, meter_id }) => (
          <li key={id}>
            <span className={styles["who"]}>
              <strong>{name}</strong>
              <code>{fingerprint(meter_id)}</code>
            </span>
            <Link href={`/installations/${String(id)}`} className={buttons["button"]} aria-label={t(may ? "installations.waiting.approveNamed" : "installations.waiting.lookNamed", { name })}>
              {t(may ? "installations.waiting.approve" : "installations.waiting.look")}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
