// A meter's key made for a test, as the gateway and an operator see it.

import { createHash, generateKeyPairSync } from "node:crypto";

export interface MeterKey {
  /** X then Y, hex. */
  publicKey: string;
  /** As the program prints it on the meter. */
  fingerprint: string;
}

export function newMeterKey(): MeterKey {
  const { x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  const id = createHash("sha256").update(point).digest("hex");
  const fingerprint = (id.slice(0, 16).match(/.{4}/g) ?? []).join("-");
  return { publicKey: point.toString("hex"), fingerprint };
}
