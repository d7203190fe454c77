// What only some roles may do: shown to them, and to everybody else the reason why not, with the way to log in.

import type { ReactNode } from "react";
import { Link, useLocation, useSearch } from "wouter";
import type { Role } from "../api/types.ts";
import { useMay, useSession } from "../hooks/session.ts";
import { t } from "../util/text.ts";
import styles from "./restricted.module.css";

export function Restricted({ to, children }: { to: Role; children: ReactNode }) {
  const { allowed, reason } = useMay(to);
  if (allowed) return children;
  return reason === null ? null : <Reason reason={reason} />;
}

function Reason({ reason }: { reason: string }) {
  const session = useSession();
  const [path] = useLocation();
  const search = useSearch();
  const back = search ? `${path}?${search}` : path;
  return (
    <p className={styles["reason"]} data-testid="restricted">
      {reason} {session?.role ? null : <Link href={`/login?back=${encodeURIComponent(back)}`}>{t("app.session.signIn")}</Link>}
    </p>
  );
}
