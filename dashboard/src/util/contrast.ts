// How well two colours are told apart, as WCAG 2.2 measures it (relative luminance and contrast ratio, from sRGB). It knows opaque colours only.

/** Red, green and blue from 0 to 255 of what a browser says a colour is, as `rgb(20, 32, 28)`; null of anything else. */
export function channelsOf(colour: string): [red: number, green: number, blue: number] | null {
  const found = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : null;
}

function luminance([red, green, blue]: readonly [number, number, number]): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: readonly [number, number, number], other: readonly [number, number, number]): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}
