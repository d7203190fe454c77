import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { ApiError } from "../api/client.ts";
import { ErrorBoundary } from "./error-boundary.tsx";

/** What stands in the place of a part that threw this. */
function shownAfter(error: unknown): string {
  const boundary = new ErrorBoundary({ children: null });
  boundary.state = ErrorBoundary.getDerivedStateFromError(error);
  return renderToStaticMarkup(boundary.render());
}

test("a refusal that was thrown is said in the gateway's words, with another try", () => {
  const shown = shownAfter(new ApiError(409, { title: "Conflict", detail: "It is taken." }));
  expect(shown).toContain('<span lang="en">Conflict</span>');
  expect(shown).toContain("Try again");
});

test("silence of the gateway is said in the page's words, with another try", () => {
  const shown = shownAfter(new ApiError(0, {}));
  expect(shown).toContain("The gateway does not answer");
  expect(shown).toContain("Try again");
});

test.each([new TypeError("error loading dynamically imported module"), null])("after %s only loading the page anew helps", (error) => {
  const shown = shownAfter(error);
  expect(shown).toContain("This part of the page failed");
  expect(shown).toContain("Reload");
});
