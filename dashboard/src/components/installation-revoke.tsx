// Ends the trust in a meter's key for good, after what follows was read and the meter's name typed.

import { useState } from "react";
import type { InstallationDetail } from "../api/types.ts";
import { useRevoke } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { RadioField, TextField } from "../ui/field.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { ConfirmName, confirmProblem } from "./confirm-name.tsx";
import { isShort } from "./installation-draft.ts";
import { enrolmentProblems } from "./installation-problems.ts";
import { camel, revocationReasons, type RevocationReasonName } from "./installation-words.ts";
import styles from "./installation-end.module.css";

const noteBytes = 64;

export function InstallationRevoke({ installation, onClose }: { installation: InstallationDetail; onClose: () => void }) {
  const [reason, setReason] = useState<RevocationReasonName>("decommissioned");
  const [note, setNote] = useState("");
  const [typed, setTyped] = useState("");
  const { attempt, problems, report } = useProblems();
  const revoke = useRevoke();

  const submit = () => {
    if (revoke.isPending) return;
    const found = [
      isShort(note.trim(), noteBytes) ? null : { field: "note", message: t("installations.revoke.noteProblem") },
      confirmProblem(typed, installation.name),
    ].filter((problem) => problem !== null);
    report(found);
    if (found.length > 0) return;
    revoke.mutate(
      { id: installation.id, revocation: { reason, note: note.trim() } },
      {
        onSuccess: onClose,
        onError: (error) => {
          report(enrolmentProblems(error));
        },
      },
    );
  };

  return (
    <Dialog title={t("installations.revoke.heading", { name: installation.name })} onClose={onClose}>
      <ul className={styles["then"]}>
        <li>{t("installations.revoke.then.refused")}</li>
        <li>{t("installations.revoke.then.stays")}</li>
        <li>{t("installations.revoke.then.final")}</li>
      </ul>
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <RadioField
          name="reason"
          label={t("installations.revoke.reason")}
          value={reason}
          onChange={setReason}
          options={revocationReasons.map((value) => ({
            value,
            label: t(`installations.reason.${camel(value)}.label`),
            hint: t(`installations.reason.${camel(value)}.hint`),
          }))}
        />
        <TextField name="note" label={t("installations.revoke.note")} hint={t("installations.revoke.noteHint")} value={note} onChange={setNote} />
        <ConfirmName name={installation.name} value={typed} onChange={setTyped} />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-danger aria-disabled={revoke.isPending}>
            {revoke.isPending ? t("app.form.pending") : t("installations.revoke.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}
