// The frame around every page: the bars, who may see it, and what stands in its place while it is fetched or when it fails.

import { lazy, Suspense } from "react";
import { useLocation } from "wouter";
import { ErrorBoundary } from "./components/error-boundary.tsx";
import { LoginEnded } from "./components/login-ended.tsx";
import { PageFooter } from "./components/page-footer.tsx";
import { PageHeader } from "./components/page-header.tsx";
import { useLanguage } from "./hooks/language.ts";
import { useMay } from "./hooks/session.ts";
import { useKiosk } from "./hooks/url-state.ts";
import { CurrentPage, loginPath } from "./routes.tsx";
import { PageSkeleton } from "./ui/page-skeleton.tsx";
import { t } from "./util/text.ts";
import styles from "./dashboard.module.css";

// What few visits need is fetched by those alone.
const LoginForm = lazy(async () => ({ default: (await import("./components/login-form.tsx")).LoginForm }));
const KioskScreen = lazy(async () => ({ default: (await import("./components/kiosk-screen.tsx")).KioskScreen }));
const KioskLocked = lazy(async () => ({ default: (await import("./components/kiosk-screen.tsx")).KioskLocked }));

export function Dashboard() {
  const [language] = useLanguage();
  const kiosk = useKiosk();
  const [path] = useLocation();
  const { reason } = useMay("viewer");
  return (
    // Texts are not a state of the components: another language is another page.
    <div key={language} className={styles["frame"]} data-kiosk={kiosk || undefined}>
      <a href="#content" className={styles["skip"]}>
        {t("app.skipToContent")}
      </a>
      {kiosk ? (
        <ErrorBoundary>
          <Suspense>
            <KioskScreen />
          </Suspense>
        </ErrorBoundary>
      ) : (
        <PageHeader />
      )}
      {kiosk ? null : <LoginEnded />}
      <main id="content" className={styles["content"]} tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<PageSkeleton label={t("app.loading")} />}>
            {reason !== null && path !== loginPath ? <Locked reason={reason} kiosk={kiosk} /> : <CurrentPage />}
          </Suspense>
        </ErrorBoundary>
      </main>
      {kiosk ? null : <PageFooter />}
    </div>
  );
}

/** Nobody can log in at a wall screen: it has no keyboard. */
function Locked({ reason, kiosk }: { reason: string; kiosk: boolean }) {
  return kiosk ? <KioskLocked reason={reason} /> : <LoginForm reason={reason} />;
}
