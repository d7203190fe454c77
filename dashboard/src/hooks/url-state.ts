// State that lives in the address, so that a view can be linked, reloaded and stepped back from.

import { useCallback, useSyncExternalStore } from "react";

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

/** One parameter of the address; setting null removes it. Each setting is a step of the browser's history. */
export function useUrlParameter(name: string): [value: string | null, set: (value: string | null) => void] {
  const value = useSyncExternalStore(watch, () => new URLSearchParams(location.search).get(name));
  const set = useCallback(
    (next: string | null) => {
      const url = new URL(location.href);
      if (next === null) url.searchParams.delete(name);
      else url.searchParams.set(name, next);
      if (url.href === location.href) return;
      history.pushState(null, "", url);
      announce();
    },
    [name],
  );
  return [value, set];
}

/** The path of the address. */
export function usePath(): string {
  return useSyncExternalStore(watch, () => location.pathname);
}
