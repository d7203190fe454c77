// P-256 and SHA-256 in JavaScript, for browsers that hide WebCrypto. It is loaded there only.

import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Engine } from "./crypto-engine.ts";

export const javascriptEngine: Engine = {
  name: "javascript",
  sha256: async (bytes) => Uint8Array.from(sha256(bytes)),
  verifies: async (key, message, signature) => {
    const point = new Uint8Array(65);
    point[0] = 4;
    point.set(key.subarray(0, 64), 1);
    try {
      // A high s is refused by its name before; here both engines take the same.
      return p256.verify(signature, message, point, { lowS: false });
    } catch {
      return false;
    }
  },
};
