// Every address of the dashboard and the page that it shows.

import type { ComponentType } from "react";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { ParkPage } from "./pages/park-page.tsx";

const routes: Readonly<Record<string, ComponentType>> = {
  "/": ParkPage,
};

export function pageAt(path: string): ComponentType {
  return routes[path] ?? NotFoundPage;
}
