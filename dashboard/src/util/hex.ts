// Bytes and their hexadecimal digits. It knows nothing of what the bytes mean.

/** Bytes in memory of their own, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes of a text of hexadecimal digits; null when it is anything else. */
export function bytesOf(hex: string): Bytes | null {
  if (hex.length % 2 === 1 || !/^[0-9a-fA-F]*$/.test(hex)) return null;
  return Uint8Array.from({ length: hex.length / 2 }, (_, place) => Number.parseInt(hex.slice(place * 2, place * 2 + 2), 16));
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function joinedBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** The same digits with one byte replaced. */
export function withByte(hex: string, offset: number, byte: number): string {
  return hex.slice(0, offset * 2) + (byte & 0xff).toString(16).padStart(2, "0") + hex.slice(offset * 2 + 2);
}
