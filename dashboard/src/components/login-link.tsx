// The way to the log-in, and from there back to where one is.

import { Link, useLocation, useSearch } from "wouter";
import { t } from "../util/text.ts";

export function LoginLink({ className }: { className?: string | undefined }) {
  const [path] = useLocation();
  const search = useSearch();
  const back = search ? `${path}?${search}` : path;
  return (
    <Link href={`/login?back=${encodeURIComponent(back)}`} className={className}>
      {t("app.session.signIn")}
    </Link>
  );
}
