// The bar on top: whose page it is, where one can go, whether it is live, and who is logged in.

import { Link, useLocation } from "wouter";
import type { Role } from "../api/types.ts";
import { useLiveStream } from "../hooks/live-stream.ts";
import { useMay, useSession, useSignOut } from "../hooks/session.ts";
import buttons from "../ui/button.module.css";
import { Glyph } from "../ui/glyph.tsx";
import { t } from "../util/text.ts";
import { LoginLink } from "./login-link.tsx";
import styles from "./page-header.module.css";

export function PageHeader() {
  // Until the gateway has said who may read, the stream is tried: a gateway that does not answer yet is back with it.
  const isRefused = useMay("viewer").reason !== null;
  return (
    <header className={styles["header"]}>
      <Link href="/" className={styles["wordmark"]}>
        <span className={styles["mark"]}>
          <Glyph name="wordmark" size={24} />
        </span>
        <span>{t("app.product")}</span>
      </Link>
      {isRefused ? null : <Navigation />}
      {isRefused ? null : <StreamBadge />}
      <Account />
    </header>
  );
}

const destinations = [
  { name: "park", path: "/", needs: "viewer" },
  { name: "installations", path: "/installations", needs: "viewer" },
  { name: "firmware", path: "/firmware", needs: "viewer" },
  { name: "keys", path: "/keys", needs: "admin" },
  { name: "audit", path: "/audit", needs: "admin" },
] as const satisfies readonly { name: string; path: string; needs: Role }[];

function Navigation() {
  const [path] = useLocation();
  const isAdmin = useMay("admin").allowed;
  return (
    <nav aria-label={t("app.nav.label")} className={styles["navigation"]}>
      {destinations
        .filter(({ needs }) => needs === "viewer" || isAdmin)
        .map(({ name, path: to }) => (
          <Link key={name} href={to} aria-current={isWithin(path, to) ? "page" : undefined}>
            {t(`app.nav.${name}`)}
          </Link>
        ))}
    </nav>
  );
}

/** The pages of meters, readings and windows are the park's. */
function isWithin(path: string, destination: string): boolean {
  if (destination === "/") return path === "/" || path.startsWith("/meters/");
  return path === destination || path.startsWith(`${destination}/`);
}

const badges = { open: "live", connecting: "connecting", waiting: "lost" } as const;

/** Whether the page is live. */
export function StreamBadge() {
  const { phase } = useLiveStream();
  return (
    <p className={styles["badge"]} data-phase={phase} data-testid="stream" role="status">
      <span className={styles["dot"]} aria-hidden="true" />
      {t(`app.stream.${badges[phase]}`)}
    </p>
  );
}

function Account() {
  const session = useSession();
  const signOut = useSignOut();
  const [path] = useLocation();
  if (!session) return <span className={styles["account"]} />;
  if (!session.role) {
    return <span className={styles["account"]}>{path === "/login" || !session.public_read ? null : <LoginLink className={buttons["button"]} />}</span>;
  }
  const standing = t("app.session.as", { name: session.name ?? "", role: t(`app.role.${session.role}`) });
  return (
    <span className={styles["account"]}>
      <span className={styles["who"]} aria-hidden="true" title={standing}>
        {session.name}
        <span>{t(`app.role.${session.role}`)}</span>
      </span>
      <button
        type="button"
        className={buttons["button"]}
        title={standing}
        disabled={signOut.isPending}
        onClick={() => {
          signOut.mutate();
        }}
      >
        {t("app.session.signOut")}
        <span className="visually-hidden">{standing}</span>
      </button>
    </span>
  );
}
