// ES256 as docs/FORMAT.md section 3 asks for it, over WebCrypto, or over JavaScript where a browser hides WebCrypto (plain http). It signs nothing.

import type { Engine } from "./crypto-engine.ts";
import { bytesOf } from "./hex.ts";

export type SignatureFault = "digits" | "length" | "out-of-range" | "high-s";

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Why these digits are no signature that may be taken at all; null when r and s are in range and s is low. */
export function signatureFault(hex: string): SignatureFault | null {
  const size = bytesOf(hex)?.length;
  if (size !== 64) return size === undefined ? "digits" : "length";
  const r = BigInt(`0x${hex.slice(0, 64)}`);
  const s = BigInt(`0x${hex.slice(64)}`);
  if (r === 0n || s === 0n || r >= order || s >= order) return "out-of-range";
  return s > order / 2n ? "high-s" : null;
}

export function webCryptoEngine(subtle: SubtleCrypto): Engine {
  return {
    name: "webcrypto",
    sha256: async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes)),
    verifies: async (key, message, signature) => {
      const point = new Uint8Array(65);
      point[0] = 4;
      point.set(key.subarray(0, 64), 1);
      let imported: CryptoKey;
      try {
        imported = await subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
      } catch {
        return false;
      }
      return subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, signature, message);
    },
  };
}

/** The engine of this browser. */
export async function engineHere(): Promise<Engine> {
  // Outside a secure context browsers leave `subtle` out, whatever the types say.
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  return subtle ? webCryptoEngine(subtle) : (await import("./p256-javascript.ts")).javascriptEngine;
}
