// Takes a release back for good, after what follows was read and its version typed.

import { useState } from "react";
import type { FirmwareRelease } from "../api/firmware.ts";
import { useWithdraw } from "../hooks/firmware.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import { ConfirmName, confirmProblem } from "./confirm-name.tsx";
import styles from "./installation-end.module.css";

export function FirmwareWithdraw({ release, onClose }: { release: FirmwareRelease; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const { attempt, problems, report } = useProblems();
  const withdraw = useWithdraw();
  const submit = () => {
    if (withdraw.isPending) return;
    const found = confirmProblem(typed, release.version);
    report(found ? [found] : []);
    if (found) return;
    withdraw.mutate(release.digest, {
      onSuccess: onClose,
      onError: (error) => {
        report(problemsOf(error));
      },
    });
  };
  return (
    <Dialog title={t("firmware.withdraw.heading", { version: release.version })} onClose={onClose}>
      <ul className={styles["then"]}>
        <li>{t("firmware.withdraw.then.nobody")}</li>
        <li>{t("firmware.withdraw.then.back")}</li>
        <li>{t("firmware.withdraw.then.final")}</li>
      </ul>
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <ConfirmName name={release.version} value={typed} onChange={setTyped} />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-danger aria-disabled={withdraw.isPending}>
            {withdraw.isPending ? t("app.form.pending") : t("firmware.withdraw.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}
