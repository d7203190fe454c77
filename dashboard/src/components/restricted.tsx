// What only some roles may do: shown to them, and to everybody else the reason why not, with the way to log in.

import type { ReactNode } from "react";
import { useMay, useSession, type Needed } from "../hooks/session.ts";
import { t } from "../util/text.ts";
import { LoginLink } from "./login-link.tsx";
import styles from "./restricted.module.css";

interface RestrictedProps {
  to: Needed;
  /** What it is that is not shown. */
  what?: string;
  children: ReactNode;
}

export function Restricted({ to, what, children }: RestrictedProps) {
  const { allowed, reason } = useMay(to);
  if (allowed) return children;
  return reason === null ? null : <Reason what={what} reason={reason} />;
}

function Reason({ what, reason }: { what: string | undefined; reason: string }) {
  const session = useSession();
  return (
    <div className={styles["reason"]} data-testid="restricted">
      {what === undefined ? null : <p className={styles["what"]}>{what}</p>}
      <p>
        {reason} {session?.role ? t("app.session.otherKey") : <LoginLink />}
      </p>
    </div>
  );
}
