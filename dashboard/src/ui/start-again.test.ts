import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { languages } from "../util/text.ts";
import { offerStartAgain, words } from "./start-again.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each(languages)("the button without texts says in %s what the texts say", (language) => {
  const texts = JSON.parse(readFileSync(new URL(`../locales/${language}/app.json`, import.meta.url), "utf8")) as Record<string, string>;
  expect(words[language]).toBe(texts["app.problem.retry"]);
});

test("without texts there is a button that loads the page anew", () => {
  const reload = vi.fn();
  const made = { append: vi.fn(), addEventListener: vi.fn((_: string, act: () => void) => act) };
  const root = { replaceChildren: vi.fn() };
  vi.stubGlobal("document", { createElement: (name: string) => (name === "button" ? made : {}) });
  vi.stubGlobal("location", { reload });
  offerStartAgain(root as unknown as HTMLElement);
  expect(root.replaceChildren).toHaveBeenCalledWith(made);
  expect(made.append).toHaveBeenCalledTimes(languages.length);
  made.addEventListener.mock.calls[0]?.[1]();
  expect(reload).toHaveBeenCalledOnce();
});
