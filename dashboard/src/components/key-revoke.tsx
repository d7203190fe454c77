// Revokes an API key, after what follows was read; of one's own key, that this session ends with it.

import type { ApiKey } from "../api/administration.ts";
import { useRevokeKey } from "../hooks/keys.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";

interface KeyRevokeProps {
  apiKey: ApiKey;
  /** Whether one is logged in by it. */
  isOwn: boolean;
  onClose: () => void;
}

export function KeyRevoke({ apiKey, isOwn, onClose }: KeyRevokeProps) {
  const { attempt, problems, report } = useProblems();
  const revoke = useRevokeKey();
  const submit = () => {
    if (revoke.isPending) return;
    report([]);
    revoke.mutate(apiKey.id, {
      onSuccess: onClose,
      onError: (error) => {
        report(problemsOf(error));
      },
    });
  };
  return (
    <Dialog title={t("keys.revoke.heading", { name: apiKey.name })} onClose={onClose}>
      <p>{t("keys.revoke.then")}</p>
      {isOwn ? <p>{t("keys.revoke.own")}</p> : null}
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <FormActions>
          <button type="submit" className={buttons["button"]} data-danger aria-disabled={revoke.isPending}>
            {revoke.isPending ? t("app.form.pending") : t(isOwn ? "keys.revoke.submitOwn" : "keys.revoke.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}
