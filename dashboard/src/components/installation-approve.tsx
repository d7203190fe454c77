// Approves a meter: its key after its fingerprint was compared, and what it measures as the operator says and signs it.

import { useState } from "react";
import type { Installation, InstallationDetail } from "../api/types.ts";
import { useApprove } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { SelectField } from "../ui/field.tsx";
import { Form, FormActions, FormSection, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { ConfirmName, confirmProblem } from "./confirm-name.tsx";
import { draftOf, readDraft, said } from "./installation-draft.ts";
import { EnrolmentSections, fieldProblem, NameFields } from "./installation-fields.tsx";
import { FingerprintCheck, fingerprintProblem, notCompared } from "./installation-fingerprint.tsx";
import { followable, followed } from "./installation-follower.ts";
import { enrolmentProblems } from "./installation-problems.ts";

interface ApproveProps {
  installation: InstallationDetail;
  /** The meters that this one may follow. */
  others: readonly Installation[];
  /** The one that it is to follow, as the address has it. */
  follows: number | null;
  onDone: () => void;
}

export function InstallationApprove({ installation, others, follows, onDone }: ApproveProps) {
  const [draft, setDraft] = useState(() => draftOf(installation));
  const [proof, setProof] = useState(notCompared);
  const [chosen, setChosen] = useState(follows === null ? "" : String(follows));
  const [typed, setTyped] = useState("");
  const { attempt, problems, report } = useProblems();
  const approve = useApprove();
  const candidates = followable(installation.id, others);
  const old = followed(chosen, candidates);
  const onChange = (changes: Partial<typeof draft>) => {
    setDraft((before) => ({ ...before, ...changes }));
  };

  const submit = () => {
    if (approve.isPending) return;
    const { approval, invalid } = readDraft(draft, installation.enrolment);
    const difference = fingerprintProblem(proof, installation.meter_id);
    const unconfirmed = old === null ? null : confirmProblem(typed, old.name);
    const found = [
      ...(difference === null ? [] : [{ field: "fingerprint", message: difference }]),
      ...invalid.map(fieldProblem),
      ...(unconfirmed === null ? [] : [unconfirmed]),
    ];
    report(found);
    if (found.length > 0) return;
    const follower = old === null ? {} : { replaces: old.id };
    approve.mutate(
      { id: installation.id, approval: { ...said(approval), ...follower } },
      {
        onSuccess: onDone,
        onError: (error) => {
          report(enrolmentProblems(error));
        },
      },
    );
  };

  return (
    <Form
      label={t("installations.approve.heading")}
      problemsTitle={t("app.form.problems", { count: problems.length })}
      problems={problems}
      attempt={attempt}
      onSubmit={submit}
    >
      <FormSection title={t("installations.section.key.title")} lead={t("installations.section.key.lead")}>
        <FingerprintCheck meterId={installation.meter_id} proof={proof} onChange={setProof} />
      </FormSection>
      <FormSection title={t("installations.section.name.title")} lead={t("installations.section.name.lead")}>
        <NameFields draft={draft} onChange={onChange} />
      </FormSection>
      <EnrolmentSections draft={draft} onChange={onChange} />
      {candidates.length === 0 ? null : (
        <FormSection title={t("installations.section.follows.title")} lead={t("installations.section.follows.lead")}>
          <SelectField
            name="replaces"
            label={t("installations.follows.label")}
            hint={old === null ? t("installations.follows.hint") : t("installations.follows.then")}
            wide
            value={old === null ? "" : String(old.id)}
            onChange={setChosen}
            options={[
              { value: "", label: t("installations.follows.none") },
              ...candidates.map(({ id, name }) => ({ value: String(id), label: name })),
            ]}
          />
          {old === null ? null : <ConfirmName name={old.name} value={typed} onChange={setTyped} />}
        </FormSection>
      )}
      <FormSection title={t("installations.section.sign.title")} lead={t("installations.section.sign.lead")}>
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary aria-disabled={approve.isPending}>
            {approve.isPending ? t("app.form.pending") : t("installations.approve.submit")}
          </button>
        </FormActions>
      </FormSection>
    </Form>
  );
}
