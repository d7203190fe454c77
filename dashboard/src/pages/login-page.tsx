// Where one logs in by hand, and is led back to where one came from.

import { Redirect, useSearchParams } from "wouter";
import { LoginForm } from "../components/login-form.tsx";
import { useSession } from "../hooks/session.ts";
import { t } from "../util/text.ts";

export default function LoginPage() {
  const session = useSession();
  const [parameters] = useSearchParams();
  if (session?.role) return <Redirect to={wayBack(parameters.get("back"))} replace />;
  return (
    <>
      <title>{t("app.pageTitle", { page: t("app.login.heading") })}</title>
      <LoginForm reason={null} />
    </>
  );
}

/** Only a path of this dashboard: an address that came in a link must not lead elsewhere. */
function wayBack(back: string | null): string {
  return back !== null && /^\/(?![/\\])/.test(back) ? back : "/";
}
