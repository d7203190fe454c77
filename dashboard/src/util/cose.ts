// What a signature is made over (RFC 9052, section 4.4), and the signed records in an `application/cose` body. It checks no signature.

import { bytesOf, hexOf, joinedBytes, type Bytes } from "./hex.ts";

/** What a signature means; the end of its domain. */
export type Meaning = "reading" | "three-phase-reading" | "window" | "enrolment" | "enrolment-acceptance";

/** A record with a signature over it, as hexadecimal digits. */
export interface SignedItem {
  readonly payload: string;
  readonly signature: string;
}

/** The `Sig_structure` of a payload in the domain `wattwitness/v1/…`. */
export function signatureStructure(meaning: Meaning, payload: Bytes): Bytes {
  const domain = new TextEncoder().encode(`wattwitness/v1/${meaning}`);
  return joinedBytes(opening, byteStringHead(domain.length), domain, byteStringHead(payload.length), payload);
}

/** An array of four, "Signature1", and the protected header {1: -7}. */
const opening = bytesOf("846a5369676e61747572653143a10126") ?? new Uint8Array();

/** The head of a byte string in its shortest form. */
function byteStringHead(length: number): Bytes {
  if (length < 24) return Uint8Array.of(0x40 + length);
  return length < 256 ? Uint8Array.of(0x58, length) : Uint8Array.of(0x59, length >> 8, length & 0xff);
}

/** The items of a body in the one form of docs/FORMAT.md section 3; null when anything else is among them. */
export function signedItems(body: Uint8Array): SignedItem[] | null {
  const items: SignedItem[] = [];
  let rest = hexOf(body);
  while (rest.length > 0) {
    const [, head = "", inline = "", short = "", long = ""] = /^(d28443a10126a0(?:(4[0-9a-f]|5[0-7])|58([0-9a-f]{2})|59([0-9a-f]{4})))/.exec(rest) ?? [];
    if (head === "") return null;
    const length = inline === "" ? Number.parseInt(short + long, 16) : Number.parseInt(inline, 16) - 0x40;
    const shortest = hexOf(byteStringHead(length));
    const end = head.length + length * 2;
    const signature = rest.slice(end + 4, end + 4 + 128);
    if (!head.endsWith(shortest) || rest.slice(end, end + 4) !== "5840" || signature.length !== 128) return null;
    items.push({ payload: rest.slice(head.length, end), signature });
    rest = rest.slice(end + 4 + 128);
  }
  return items;
}
