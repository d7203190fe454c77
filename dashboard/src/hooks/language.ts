// The viewer's choice of a language; the system's until he chooses.

import { useSyncExternalStore } from "react";
import { language, languageOf, languages, languageTag, loadTexts, speak, type Language } from "../util/text.ts";

const key = "wattwitness.language";
const watchers = new Set<() => void>();

/** The language that was chosen before, or that the system asks for. */
export function preferredLanguage(): Language {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(key);
  } catch {
    // A browser that keeps nothing follows the system.
  }
  return languages.find((each) => each === chosen) ?? languageOf(navigator.languages);
}

/** Speaks a language once the texts around every page are here. */
export async function begin(to: Language): Promise<void> {
  await loadTexts(["app"], to);
  speak(to);
  document.documentElement.lang = languageTag();
  for (const watcher of watchers) watcher();
}

async function choose(to: Language): Promise<void> {
  try {
    localStorage.setItem(key, to);
  } catch {
    // A browser that keeps nothing still speaks the language until the page is left.
  }
  await begin(to);
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

export function useLanguage(): [language: Language, choose: (language: Language) => Promise<void>] {
  return [useSyncExternalStore(watch, language), choose];
}
