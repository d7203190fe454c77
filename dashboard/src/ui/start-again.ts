// A button that loads the page anew, where not even its texts could be loaded: so it brings its own, in every language. It draws nothing else.

import type { Language } from "../util/text.ts";

/** What the texts call "try again". */
export const words: Readonly<Record<Language, string>> = { en: "Try again", de: "Erneut versuchen", es: "Reintentar", zh: "重试" };

export function offerStartAgain(root: HTMLElement): void {
  const button = document.createElement("button");
  button.type = "button";
  for (const [lang, word] of Object.entries(words)) {
    const line = document.createElement("span");
    line.lang = lang;
    line.textContent = word;
    button.append(line, " ");
  }
  // A module that failed once stays failed until the page is loaded anew.
  button.addEventListener("click", () => {
    location.reload();
  });
  root.replaceChildren(button);
}
