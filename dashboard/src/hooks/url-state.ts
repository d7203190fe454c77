// State that lives in the address, so that a view can be linked, reloaded and stepped back from.

import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();

function announce(): void {
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  if (watchers.size === 0) addEventListener("popstate", announce);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) removeEventListener("popstate", announce);
  };
}

/** What the address says, by name; null where it says nothing. */
type UrlState<Name extends string> = Readonly<Record<Name, string | null>>;

/**
 * Parameters of the address. Setting some of them leaves the others as they are, null removes one, and each setting is one step of the browser's
 * history.
 */
export function useUrlState<Name extends string>(
  names: readonly Name[],
): [state: UrlState<Name>, set: (changes: Partial<UrlState<Name>>) => void] {
  const search = useSyncExternalStore(watch, () => location.search);
  const parameters = new URLSearchParams(search);
  const state = Object.fromEntries(names.map((name) => [name, parameters.get(name)])) as UrlState<Name>;
  return [state, change];
}

function change(changes: Readonly<Record<string, string | null | undefined>>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value == null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href === location.href) return;
  history.pushState(null, "", url);
  announce();
}

/** The path of the address. */
export function usePath(): string {
  return useSyncExternalStore(watch, () => location.pathname);
}
