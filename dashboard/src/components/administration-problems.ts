// Why a change was refused, as a form shows it: at the field that the gateway names, in the page's language where it has words for it.

import { ApiError } from "../api/client.ts";
import type { FieldProblem } from "../ui/form.tsx";
import { t } from "../util/text.ts";

interface Words {
  /** The form's field of a name of the API; null for none. */
  fieldOf?: (apiName: string | null | undefined) => string | null;
  /** Of a kind of problem, its own words and the field that they stand at; null for none. */
  wordsOf?: (kind: string) => FieldProblem | null;
}

export function problemsOf(error: Error, { fieldOf = () => null, wordsOf = () => null }: Words = {}): FieldProblem[] {
  if (!(error instanceof ApiError) || error.status === 0) return [{ field: null, message: t("app.problem.unreachable") }];
  const { type, title, detail, field } = error.problem;
  const kind = type?.split("/").at(-1) ?? "";
  if (error.status === 401) return [{ field: null, message: t("app.session.ended") }];
  if (kind === "csrf-token-wrong") return [{ field: null, message: t("app.session.changed") }];
  if (error.status === 429 && kind === "rate-limited") return [{ field: null, message: t("app.problem.tooMany") }];
  const words = wordsOf(kind);
  if (words) return [words];
  if (!title && !detail) return [{ field: null, message: t("app.problem.unexpected", { status: error.status }) }];
  return [{ field: fieldOf(field), message: [title, detail].filter(Boolean).join(": "), lang: "en" }];
}
