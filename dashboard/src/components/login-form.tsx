// Exchanges an API key for a session. The key is in the field only: no state, no storage and no address ever has it.

import { useRef, useState } from "react";
import { ApiError } from "../api/client.ts";
import { useSignIn } from "../hooks/session.ts";
import buttons from "../ui/button.module.css";
import { t } from "../util/text.ts";
import styles from "./login-form.module.css";

/** `reason` says why this stands in the place of a page; null when somebody came here to log in. */
export function LoginForm({ reason }: { reason: string | null }) {
  const signIn = useSignIn();
  const [isMissing, setMissing] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const problem = isMissing ? t("app.login.missing") : signIn.error ? problemText(signIn.error) : null;

  const submit = () => {
    const input = field.current;
    if (!input) return;
    setMissing(input.value.trim() === "");
    if (input.value.trim() === "") {
      input.focus();
      return;
    }
    signIn.mutate(() => input.value.trim(), {
      onSettled: (_, error) => {
        // What was refused for good is of no more use; what did not arrive can be sent again.
        if (!error || isRefused(error)) input.value = "";
        if (error) input.focus();
      },
    });
  };

  return (
    <form
      className={styles["form"]}
      data-testid="login"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h1>{t("app.login.heading")}</h1>
      {reason === null ? null : (
        <p className={styles["reason"]} role="status">
          {reason}
        </p>
      )}
      <div className={styles["field"]}>
        <label htmlFor="login-key">{t("app.login.key")}</label>
        <input
          ref={field}
          id="login-key"
          type="password"
          autoComplete="current-password"
          autoCapitalize="none"
          spellCheck={false}
          aria-required
          aria-invalid={problem === null ? undefined : true}
          aria-describedby={problem === null ? "login-lead" : "login-problem login-lead"}
        />
        <p id="login-problem" role="alert" className={styles["problem"]}>
          {problem}
        </p>
        <p id="login-lead" className={styles["lead"]}>
          {t("app.login.lead")}
        </p>
      </div>
      <button type="submit" className={buttons["button"]} data-primary aria-disabled={signIn.isPending}>
        {signIn.isPending ? t("app.login.pending") : t("app.login.submit")}
      </button>
      <p className={styles["lead"]}>{t("app.login.where")}</p>
    </form>
  );
}

function isRefused(error: Error): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

function problemText(error: Error): string {
  if (!(error instanceof ApiError) || error.status === 0) return t("app.problem.unreachable");
  if (error.status === 401 || error.status === 422) return t("app.login.wrong");
  if (error.status === 429) return t("app.login.tooMany");
  return t("app.problem.unexpected", { status: error.status });
}
