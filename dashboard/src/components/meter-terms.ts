// The words for terms that stand in records and in the API.

import { t, type TextId } from "../util/text.ts";

const terms = {
  sensor: ["shelly_em_gen1", "shelly_3em_gen1", "shelly_em1_gen2", "shelly_em_gen2"],
  custody: ["software", "secure_element"],
  counter: ["total", "total_returned"],
  reset: ["unknown", "power_on", "brown_out", "watchdog", "crash", "requested", "update", "wake"],
} as const satisfies Record<string, readonly string[]>;

/** The word for a term of the records; one that a newer gateway knows and this page does not is shown as it is. */
export function termOf(kind: keyof typeof terms, term: string): string {
  const known: readonly string[] = terms[kind];
  return known.includes(term) ? t(`meter.term.${kind}.${term}` as TextId) : term;
}
