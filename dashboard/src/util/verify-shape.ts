// The types that the fields of an answer must have before anything is computed from them: a forger's answer may have any. Values are for the checks.

export type Shape = (value: unknown) => boolean;

export const isText: Shape = (value) => typeof value === "string";
export const isPlace: Shape = (value) => Number.isSafeInteger(value);

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function orNull(shape: Shape): Shape {
  return (value) => value === null || shape(value);
}

export function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every((each) => shape(each));
}

/** The name of the first field that is missing or of another type; null when there is none. */
export function misshapen(value: object, shapes: Readonly<Record<string, Shape>>): string | null {
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return Object.keys(shapes).find((name) => shapes[name]?.(fields[name]) === false) ?? null;
}
