// Every address of the dashboard and the page that it shows.

import type { ReactNode } from "react";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { ParkPage } from "./pages/park-page.tsx";

const routes: Readonly<Record<string, ReactNode>> = {
  "/": <ParkPage />,
};

export function pageAt(path: string): ReactNode {
  return routes[path] ?? <NotFoundPage />;
}
