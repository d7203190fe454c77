// Why an operator's change of a meter was refused, at the field that it concerns.

import type { FieldProblem } from "../ui/form.tsx";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import { draftFieldOf } from "./installation-draft.ts";

function wordsOf(kind: string): FieldProblem | null {
  switch (kind) {
    case "sensor-in-use":
      return { field: "mac", message: t("installations.refused.sensorInUse") };
    case "too-many-waiting":
      return { field: null, message: t("installations.refused.tooManyWaiting") };
    case "key-not-on-curve":
      return { field: "publicKey", message: t("installations.refused.keyNotOnCurve") };
    default:
      return null;
  }
}

const otherFields: Readonly<Record<string, string>> = { public_key: "publicKey", replaces: "replaces", reason: "reason", note: "note" };

export function enrolmentProblems(error: Error): FieldProblem[] {
  return problemsOf(error, { wordsOf, fieldOf: (name) => draftFieldOf(name) ?? otherFields[name ?? ""] ?? null });
}
