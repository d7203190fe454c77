import { afterEach, expect, test, vi } from "vitest";
import { copy } from "./clipboard.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

function pageThatCopies(execCommand: () => boolean) {
  const area = { style: {}, select: vi.fn(), remove: vi.fn() };
  vi.stubGlobal("document", { createElement: () => area, body: { append: vi.fn() }, execCommand });
  return area;
}

const refusing = { clipboard: { writeText: () => Promise.reject(new Error("refused")) } };

test.each([
  ["hidden", {}, true],
  ["hidden", {}, false],
  ["refused", refusing, true],
  ["refused", refusing, false],
])("a clipboard that is %s leaves it to the old way", async (_, navigator, isCopied) => {
  vi.stubGlobal("navigator", navigator);
  pageThatCopies(() => isCopied);
  expect(await copy("8fd6")).toBe(isCopied);
});

test("an old way that throws has not copied, and leaves nothing on the page", async () => {
  vi.stubGlobal("navigator", refusing);
  const area = pageThatCopies(() => {
    throw new Error("refused");
  });
  expect(await copy("8fd6")).toBe(false);
  expect(area.remove).toHaveBeenCalledOnce();
});
