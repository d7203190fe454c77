// Every text a person reads, by its id, in the language chosen. The texts themselves are in locales; numbers and dates come in as strings.

import { i18n, type Messages } from "@lingui/core";
import type app from "../locales/en/app.json";
import type audit from "../locales/en/audit.json";
import type firmware from "../locales/en/firmware.json";
import type installations from "../locales/en/installations.json";
import type keys from "../locales/en/keys.json";
import type meter from "../locales/en/meter.json";
import type park from "../locales/en/park.json";
import type proof from "../locales/en/proof.json";
import type record from "../locales/en/record.json";
import type style from "../locales/en/style.json";
import type term from "../locales/en/term.json";

interface Texts {
  app: typeof app;
  park: typeof park;
  meter: typeof meter;
  record: typeof record;
  proof: typeof proof;
  installations: typeof installations;
  firmware: typeof firmware;
  keys: typeof keys;
  audit: typeof audit;
  style: typeof style;
  term: typeof term;
}

/** A part of the texts that is loaded as one. */
export type TextArea = keyof Texts;

export type TextId = { [Area in TextArea]: keyof Texts[Area] & string }[TextArea];

export const languages = ["en", "de", "es", "zh"] as const;
export type Language = (typeof languages)[number];

/** The tags by which numbers and dates are formatted. */
const tags: Readonly<Record<Language, string>> = { en: "en-GB", de: "de-DE", es: "es-ES", zh: "zh-CN" };

let current: Language = "en";

export function language(): Language {
  return current;
}

/** The BCP 47 tag of the language chosen. */
export function languageTag(): string {
  return tags[current];
}

/** The first of the tags that is a language of ours, else English. */
export function languageOf(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const known = languages.find((each) => tag.toLowerCase().split("-")[0] === each);
    if (known) return known;
  }
  return "en";
}

const catalogs = import.meta.glob<{ messages: Messages }>("../locales/*/*.json", { query: "?lingui" });

const loaded: Record<Language, Map<TextArea, Messages>> = { en: new Map(), de: new Map(), es: new Map(), zh: new Map() };

/** Fetches texts that are not here yet. They are spoken once `speak` has named their language. */
export async function loadTexts(areas: readonly TextArea[], of: Language): Promise<void> {
  const missing = areas.filter((area) => !loaded[of].has(area));
  await Promise.all(
    missing.map(async (area) => {
      const catalog = await catalogs[`../locales/${of}/${area}.json`]?.();
      if (!catalog) return;
      loaded[of].set(area, catalog.messages);
      i18n.load(of, catalog.messages);
    }),
  );
  if (of === current) i18n.activate(of);
}

/** Speaks this language from now on; its texts are to be here. */
export function speak(chosen: Language): void {
  current = chosen;
  i18n.activate(chosen);
}

/** The text of this id, with its values put in. */
export function t(id: TextId, values?: Readonly<Record<string, string | number>>): string {
  return i18n._(id, values);
}
