// The session has ended while a page was open that everybody may read: said in its place, with the way to log in and back here.

import { useLocation } from "wouter";
import { useSession } from "../hooks/session.ts";
import { t } from "../util/text.ts";
import { LoginLink } from "./login-link.tsx";
import styles from "./login-ended.module.css";

export function LoginEnded() {
  const session = useSession();
  const [path] = useLocation();
  if (!session?.ended || !session.public_read || path === "/login") return null;
  return (
    <p className={styles["ended"]} role="status" data-testid="session-ended">
      {t("app.session.ended")} <LoginLink />
    </p>
  );
}
