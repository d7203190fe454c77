// Lets another meter follow this one at its place: lifetime totals go on across the two, and nothing more is taken of this one.

import { useState } from "react";
import { useLocation } from "wouter";
import type { Installation, InstallationDetail } from "../api/types.ts";
import { useApprove } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { SelectField } from "../ui/field.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { fingerprint } from "../util/format.ts";
import { t } from "../util/text.ts";
import { ConfirmName, confirmProblem } from "./confirm-name.tsx";
import { enrolmentProblems } from "./installation-problems.ts";
import styles from "./installation-end.module.css";

interface ReplaceProps {
  installation: InstallationDetail;
  others: readonly Installation[];
  onClose: () => void;
}

export function InstallationReplace({ installation, others, onClose }: ReplaceProps) {
  const candidates = others.filter(
    ({ id, state, replaces, replaced_by }) => id !== installation.id && state !== "revoked" && replaces === null && replaced_by === null,
  );
  const [chosen, setChosen] = useState(String(candidates[0]?.id ?? ""));
  const [typed, setTyped] = useState("");
  const { attempt, problems, report } = useProblems();
  const [, navigate] = useLocation();
  const approve = useApprove();
  const follower = candidates.find(({ id }) => String(id) === chosen);
  const waits = follower?.state === "waiting";

  const submit = () => {
    if (!follower || approve.isPending) return;
    if (waits) {
      navigate(`/installations/${String(follower.id)}?follows=${String(installation.id)}`);
      return;
    }
    const problem = confirmProblem(typed, installation.name);
    report(problem ? [problem] : []);
    if (problem) return;
    approve.mutate(
      { id: follower.id, approval: { replaces: installation.id } },
      {
        onSuccess: onClose,
        onError: (error) => {
          report(enrolmentProblems(error));
        },
      },
    );
  };

  return (
    <Dialog title={t("installations.replace.heading", { name: installation.name })} onClose={onClose}>
      <ul className={styles["then"]}>
        <li>{t("installations.replace.then.lifetime")}</li>
        <li>{t("installations.replace.then.ends")}</li>
        <li>{t("installations.replace.then.final")}</li>
      </ul>
      {follower ? (
        <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
          <SelectField
            name="replaces"
            label={t("installations.replace.by")}
            hint={waits ? t("installations.replace.waits") : t("installations.replace.measures")}
            value={chosen}
            onChange={setChosen}
            options={candidates.map(({ id, name, meter_id, state }) => ({
              value: String(id),
              label: `${name} · ${fingerprint(meter_id)}${state === "waiting" ? ` · ${t("app.state.name.waiting")}` : ""}`,
            }))}
          />
          {waits ? null : <ConfirmName name={installation.name} value={typed} onChange={setTyped} />}
          <FormActions>
            <button type="submit" className={buttons["button"]} data-primary={waits || undefined} data-danger={!waits || undefined} aria-disabled={approve.isPending}>
              {approve.isPending ? t("app.form.pending") : t(waits ? "installations.replace.goOn" : "installations.replace.submit")}
            </button>
            <button type="button" className={buttons["button"]} onClick={onClose}>
              {t("app.form.cancel")}
            </button>
          </FormActions>
        </Form>
      ) : (
        <>
          <p>{t("installations.replace.none")}</p>
          <FormActions>
            <button type="button" className={buttons["button"]} onClick={onClose}>
              {t("app.form.close")}
            </button>
          </FormActions>
        </>
      )}
    </Dialog>
  );
}
