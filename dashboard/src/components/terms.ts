// The words for terms that stand in records and in the API, on whatever page.

import { t, type TextId } from "../util/text.ts";

export const sensorModels = ["shelly_em_gen1", "shelly_3em_gen1", "shelly_em1_gen2", "shelly_em_gen2"] as const;

export const counters = ["total", "total_returned"] as const;

export const custodies = ["software", "secure_element"] as const;

const terms = {
  sensor: sensorModels,
  custody: custodies,
  counter: counters,
  reset: ["unknown", "power_on", "brown_out", "watchdog", "crash", "requested", "update", "wake"],
} as const satisfies Record<string, readonly string[]>;

/** The word for a term of the records; one that a newer gateway knows and this page does not is shown as it is. */
export function termOf(kind: keyof typeof terms, term: string): string {
  const known: readonly string[] = terms[kind];
  return known.includes(term) ? t(`term.${kind}.${term}` as TextId) : term;
}
