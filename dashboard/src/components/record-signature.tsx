// A record's signature byte by byte, beside the key that it is held against.

import { useState } from "react";
import { withByte } from "../util/hex.ts";
import { t } from "../util/text.ts";
import { ByteGrid, type ByteSpan } from "./byte-grid.tsx";
import { Hex } from "./byte-hex.tsx";
import { RecordPart } from "./record-frame.tsx";
import styles from "./record-signature.module.css";

interface RecordSignatureProps {
  signature: string;
  /** As it was served, where `signature` is of a copy. */
  original: string;
  publicKey: string;
  onSignature: ((signature: string) => void) | undefined;
  /** What else there is to say of it. */
  note?: string;
}

const spans: readonly ByteSpan[] = ["r", "s"].map((label, place) => ({ offset: place * 32, size: 32, label, value: null }));

export function RecordSignature({ signature, original, publicKey, onSignature, note }: RecordSignatureProps) {
  const [active, setActive] = useState<number | null>(null);
  return (
    <RecordPart id="signature" heading={t("proof.seal.signature")} explain={t("proof.seal.signatureExplain")}>
      <div className={styles["columns"]}>
        <ByteGrid
          label={t("proof.seal.signature")}
          hex={signature}
          spans={spans}
          active={active}
          onActive={setActive}
          original={original}
          onByte={
            onSignature &&
            ((offset, byte) => {
              onSignature(withByte(signature, offset, byte));
            })
          }
        />
        <div className={styles["beside"]}>
          <p>{t("proof.seal.key")}</p>
          <p className={styles["key"]}>
            <Hex hex={publicKey} />
          </p>
          {note === undefined ? null : <p>{note}</p>}
        </div>
      </div>
    </RecordPart>
  );
}
