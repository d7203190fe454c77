// What computes digests and verifies signatures, whoever provides it.

import type { Bytes } from "./hex.ts";

/** Who computes: both give the same answers. */
export interface Engine {
  readonly name: "webcrypto" | "javascript";
  sha256: (bytes: Bytes) => Promise<Bytes>;
  /** Whether r ‖ s is a signature over the SHA-256 of the message by the key X ‖ Y. False for a key that is no point of the curve. */
  verifies: (key: Bytes, message: Bytes, signature: Bytes) => Promise<boolean>;
}
