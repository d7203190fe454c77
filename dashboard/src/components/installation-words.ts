// What the pages of installations call the API's names of sensors, counters and reasons; a name that is not known stays as it is.

import { t } from "../util/text.ts";
import { counters, termOf } from "./terms.ts";

export const revocationReasons = ["decommissioned", "lost", "key_compromise", "manipulation", "other"] as const;
export type RevocationReasonName = (typeof revocationReasons)[number];

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

/** A name of the API as part of a text's id. */
export function camel<Name extends string>(name: Name): Camel<Name> {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as Camel<Name>;
}

export function sensorName(model: string | null): string | null {
  return model === null ? null : termOf("sensor", model);
}

export function counterName(counter: string): string {
  const known = counters.find((each) => each === counter);
  return known ? t(`installations.counter.${camel(known)}.label`) : counter;
}

export function reasonName(reason: string): string {
  const known = revocationReasons.find((each) => each === reason);
  return known ? t(`installations.reason.${camel(known)}.label`) : reason;
}
