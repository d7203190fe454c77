// Another name or time zone for a meter, by a signed Label. Nothing measured depends on it, so the meter is not asked.

import { useState } from "react";
import type { InstallationDetail } from "../api/types.ts";
import { useLabel } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { draftOf, readDraft, said } from "./installation-draft.ts";
import { fieldProblem, NameFields } from "./installation-fields.tsx";
import { enrolmentProblems } from "./installation-problems.ts";

export function InstallationRename({ installation, onClose }: { installation: InstallationDetail; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(installation));
  const { attempt, problems, report } = useProblems();
  const label = useLabel();

  const submit = () => {
    if (label.isPending) return;
    const { approval, invalid } = readDraft(draft, null);
    const found = invalid.filter((field) => field === "name" || field === "timeZone").map(fieldProblem);
    report(found);
    if (found.length > 0) return;
    const { name, time_zone } = approval;
    const changed = said({ name: name === installation.name ? null : name, time_zone: time_zone === installation.timezone ? null : time_zone });
    if (Object.keys(changed).length === 0) {
      onClose();
      return;
    }
    label.mutate(
      { id: installation.id, label: changed },
      {
        onSuccess: onClose,
        onError: (error) => {
          report(enrolmentProblems(error));
        },
      },
    );
  };

  return (
    <Dialog title={t("installations.rename.heading", { name: installation.name })} onClose={onClose}>
      <p>{t("installations.rename.lead")}</p>
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <NameFields
          draft={draft}
          onChange={(changes) => {
            setDraft((before) => ({ ...before, ...changes }));
          }}
        />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary aria-disabled={label.isPending}>
            {label.isPending ? t("app.form.pending") : t("installations.rename.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}
