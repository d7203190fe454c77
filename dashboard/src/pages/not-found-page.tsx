// An address that leads nowhere.

import { Link } from "wouter";
import { t } from "../util/text.ts";

export default function NotFoundPage() {
  return (
    <>
      <title>{t("app.pageTitle", { page: t("app.notFound.heading") })}</title>
      <h1>{t("app.notFound.heading")}</h1>
      <p>
        <Link href="/">{t("app.notFound.back")}</Link>
      </p>
    </>
  );
}
