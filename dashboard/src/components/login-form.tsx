// Exchanges an API key for a session. The key is in the form only, and goes out of it with the request.

import { useState } from "react";
import { ApiError } from "../api/client.ts";
import { useSignIn } from "../hooks/session.ts";
import buttons from "../ui/button.module.css";
import { t } from "../util/text.ts";
import styles from "./login-form.module.css";

/** `reason` says why this stands in the place of a page; null when somebody came here to log in. */
export function LoginForm({ reason }: { reason: string | null }) {
  const signIn = useSignIn();
  const [key, setKey] = useState("");
  return (
    <form
      className={styles["form"]}
      data-testid="login"
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate(key.trim(), {
          onSuccess: () => {
            setKey("");
          },
        });
      }}
    >
      <h1>{t("app.login.heading")}</h1>
      {reason === null ? null : <p>{reason}</p>}
      <p className={styles["lead"]}>{t("app.login.lead")}</p>
      <label className={styles["field"]}>
        <span>{t("app.login.key")}</span>
        <input
          type="password"
          name="key"
          autoComplete="current-password"
          spellCheck={false}
          required
          value={key}
          aria-describedby="login-problem"
          onChange={(event) => {
            setKey(event.target.value);
          }}
        />
      </label>
      <p id="login-problem" role="alert" className={styles["problem"]}>
        {signIn.error ? problemText(signIn.error) : null}
      </p>
      <button type="submit" className={buttons["button"]} data-primary disabled={signIn.isPending}>
        {t("app.login.submit")}
      </button>
      <p className={styles["lead"]}>{t("app.login.where")}</p>
    </form>
  );
}

function problemText(error: Error): string {
  if (!(error instanceof ApiError) || error.status === 0) return t("app.problem.unreachable");
  if (error.status === 401) return t("app.login.wrong");
  return error.problem.detail ?? error.problem.title ?? t("app.problem.unexpected", { status: error.status });
}
