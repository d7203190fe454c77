// Which meters a new one may follow at their place. What the address names counts for nothing before it is found among them.

import type { Installation } from "../api/types.ts";

/** The meters in service that nothing follows yet. */
export function followable(self: number, others: readonly Installation[]): Installation[] {
  return others.filter(({ id, state, replaced_by }) => id !== self && state === "active" && replaced_by === null);
}

/** The one of them that is chosen, by its id as the form or the address has it; null for none. */
export function followed(chosen: string, candidates: readonly Installation[]): Installation | null {
  return candidates.find(({ id }) => String(id) === chosen) ?? null;
}
