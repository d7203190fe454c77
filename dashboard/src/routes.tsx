// Every address of the dashboard and the page that it shows. A page and its texts are fetched when it is first opened.

import { use, type ComponentType, type ReactNode } from "react";
import { Route, Switch } from "wouter";
import { useLanguage } from "./hooks/language.ts";
import { loadTexts, type Language, type TextArea } from "./util/text.ts";

interface PageRoute {
  path: string;
  page: () => Promise<{ default: ComponentType }>;
  texts: readonly TextArea[];
}

const notFound: PageRoute = { path: "*", page: () => import("./pages/not-found-page.tsx"), texts: [] };

/** The page at which one logs in; the only one that is shown to whoever may read nothing. */
export const loginPath = "/login";

type FirmwarePageName = "FirmwarePage" | "FirmwareReleasePage" | "FirmwareRolloutPage" | "FirmwareDevicePage";

/** The pages of firmware come in one file: the frame names every file that it may fetch, and each name costs the first view. */
function firmwarePage(name: FirmwarePageName): PageRoute["page"] {
  return async () => ({ default: (await import("./pages/firmware-pages.ts"))[name] });
}

const routes: readonly PageRoute[] = [
  { path: "/", page: () => import("./pages/park-page.tsx"), texts: ["park", "record"] },
  { path: "/meters/:id", page: () => import("./pages/meter-page.tsx"), texts: ["meter", "park", "record", "term"] },
  { path: "/meters/:id/readings/:reading", page: () => import("./pages/reading-page.tsx"), texts: ["proof"] },
  { path: "/meters/:id/windows/:window", page: () => import("./pages/window-page.tsx"), texts: ["proof"] },
  { path: "/installations", page: () => import("./pages/installations-page.tsx"), texts: ["installations", "term"] },
  { path: "/installations/:id", page: () => import("./pages/installation-page.tsx"), texts: ["installations", "term"] },
  { path: "/firmware", page: firmwarePage("FirmwarePage"), texts: ["firmware"] },
  { path: "/firmware/releases/:digest", page: firmwarePage("FirmwareReleasePage"), texts: ["firmware"] },
  { path: "/firmware/rollouts/:id", page: firmwarePage("FirmwareRolloutPage"), texts: ["firmware", "audit"] },
  { path: "/firmware/devices/:meter", page: firmwarePage("FirmwareDevicePage"), texts: ["firmware"] },
  { path: "/keys", page: () => import("./pages/keys-page.tsx"), texts: ["keys"] },
  { path: "/audit", page: () => import("./pages/audit-page.tsx"), texts: ["audit"] },
  { path: "/style", page: () => import("./pages/style-page.tsx"), texts: ["style"] },
  { path: loginPath, page: () => import("./pages/login-page.tsx"), texts: [] },
  notFound,
];

const opened = new Map<string, Promise<ReactNode>>();

function open(route: PageRoute, language: Language): Promise<ReactNode> {
  const key = `${language} ${route.path}`;
  const known = opened.get(key);
  if (known) return known;
  const opening = Promise.all([route.page(), loadTexts(route.texts, language)]).then(([{ default: Content }]) => <Content />);
  // What could not be fetched stays so until the page is loaded anew: asked for again in the next render, it would never be seen to have failed.
  opened.set(key, opening);
  return opening;
}

/** Begins to fetch the page of an address that has no parameters, while the first texts are on their way. */
export function openEarly(path: string, language: Language): void {
  const route = routes.find((each) => each.path === path);
  if (route) void open(route, language);
}

/** The page of the address that the browser shows. */
export function CurrentPage() {
  return (
    <Switch>
      {routes.map((route) => (
        <Route key={route.path} path={route.path}>
          <Page route={route} />
        </Route>
      ))}
    </Switch>
  );
}

function Page({ route }: { route: PageRoute }) {
  const [language] = useLanguage();
  return use(open(route, language));
}
