// What a meter measures, said anew: a new Enrolment, shown as what changes before it is signed. The old one stays in the record.

import { useState } from "react";
import type { EnrolmentDetail } from "../api/administration.ts";
import type { InstallationDetail } from "../api/types.ts";
import { useApprove } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { nothing } from "../util/format.ts";
import { t } from "../util/text.ts";
import { changedFields, draftOf, readDraft, said, type Draft, type DraftField } from "./installation-draft.ts";
import { EnrolmentSections, fieldLabel, fieldProblem } from "./installation-fields.tsx";
import { enrolmentProblems } from "./installation-problems.ts";
import { counterName, sensorName } from "./installation-words.ts";
import { termOf } from "./terms.ts";
import styles from "./installation-change.module.css";

interface ChangeProps {
  installation: InstallationDetail;
  held: EnrolmentDetail;
  onClose: () => void;
}

export function InstallationChange({ installation, held, onClose }: ChangeProps) {
  const before = draftOf(installation);
  const [draft, setDraft] = useState(before);
  const [isChecking, setChecking] = useState(false);
  const { attempt, problems, report } = useProblems();
  const changed = changedFields(draft, before);

  const check = () => {
    const { invalid } = readDraft(draft, held);
    const found = invalid.map(fieldProblem);
    if (found.length === 0 && changed.length === 0) report([{ field: null, message: t("installations.change.nothing") }]);
    else report(found);
    setChecking(found.length === 0 && changed.length > 0);
  };

  return (
    <>
      <Form
        label={t("installations.change.heading")}
        problemsTitle={t("app.form.problems", { count: problems.length })}
        problems={problems}
        attempt={attempt}
        onSubmit={check}
      >
        <EnrolmentSections
          draft={draft}
          onChange={(changes) => {
            setDraft((current) => ({ ...current, ...changes }));
          }}
        />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary>
            {t("installations.change.check")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
      {isChecking ? (
        <ChangeConfirmation
          installation={installation}
          held={held}
          draft={draft}
          before={before}
          changed={changed}
          onBack={() => {
            setChecking(false);
          }}
          onRefused={(error) => {
            setChecking(false);
            report(enrolmentProblems(error));
          }}
          onDone={onClose}
        />
      ) : null}
    </>
  );
}

interface ConfirmationProps {
  installation: InstallationDetail;
  held: EnrolmentDetail;
  draft: Draft;
  before: Draft;
  changed: readonly DraftField[];
  onBack: () => void;
  onRefused: (error: Error) => void;
  onDone: () => void;
}

function ChangeConfirmation({ installation, held, draft, before, changed, onBack, onRefused, onDone }: ConfirmationProps) {
  const approve = useApprove();
  const sign = () => {
    if (approve.isPending) return;
    const { approval } = readDraft(draft, held);
    // The name and the time zone are a Label's, which stays as it is.
    approve.mutate(
      { id: installation.id, approval: said({ ...approval, name: null, time_zone: null }) },
      { onSuccess: onDone, onError: onRefused },
    );
  };
  return (
    <Dialog title={t("installations.change.confirm", { number: held.number + 1 })} onClose={onBack}>
      <table className={styles["changes"]}>
        <thead>
          <tr>
            <th scope="col">{t("installations.change.what")}</th>
            <th scope="col">{t("installations.change.before")}</th>
            <th scope="col">{t("installations.change.after")}</th>
          </tr>
        </thead>
        <tbody>
          {changed.map((field) => (
            <tr key={field}>
              <th scope="row">{fieldLabel(field)}</th>
              <td>{shown(field, before)}</td>
              <td>{shown(field, draft)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className={styles["then"]}>
        <li>{t("installations.change.countersign")}</li>
        <li>{t("installations.change.stays")}</li>
      </ul>
      <FormActions>
        <button type="button" className={buttons["button"]} data-primary aria-disabled={approve.isPending} onClick={sign}>
          {approve.isPending ? t("app.form.pending") : t("installations.change.submit")}
        </button>
        <button type="button" className={buttons["button"]} onClick={onBack}>
          {t("app.form.back")}
        </button>
      </FormActions>
    </Dialog>
  );
}

function shown(field: DraftField, draft: Draft): string {
  const text = draft[field].trim();
  if (text === "") return nothing;
  if (field === "sensorModel") return sensorName(text) ?? text;
  if (field === "counter") return counterName(text);
  if (field === "custody") return termOf("custody", text);
  if (field === "ratedPower") return `${text}\u00a0${t("installations.unit.watts")}`;
  return text;
}
