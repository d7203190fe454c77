// The way from a reading up to the root of its window: each line is a level of the tree, as wide as the readings below it.

import { fingerprint } from "../util/format.ts";
import { stepsOf, type Span } from "../util/merkle.ts";
import { t } from "../util/text.ts";
import styles from "./proof-path.module.css";

interface ProofPathProps {
  index: number;
  count: number;
  /** The siblings' hashes, from the leaf up. */
  path: readonly string[];
  /** The hashes that were computed, from the leaf up to the root; null when the path does not fit. */
  nodes: readonly string[] | null;
  /** Those of what was signed: nodes that differ are marked. */
  original?: readonly string[] | null | undefined;
  /** Changes a sibling's hash in a copy. */
  onSibling?: ((place: number) => void) | undefined;
}

export function ProofPath({ index, count, path, nodes, original, onSibling }: ProofPathProps) {
  const steps = stepsOf(index, count) ?? [];
  const levels = [
    ...steps.map(({ own, sibling, side }, place) => ({ own, sibling, side, place })),
    { own: { start: 0, end: count }, sibling: null, side: null, place: steps.length },
  ].toReversed();
  return (
    <ol className={styles["path"]} data-testid="proof-path">
      {levels.map(({ own, sibling, side, place }) => {
        const hash = nodes?.[place] ?? null;
        const isForged = hash !== null && original != null && hash !== original[place];
        return (
          <li key={place} data-forged={isForged || undefined}>
            <div className={styles["bars"]} aria-hidden="true">
              <span className={styles["own"]} style={placed(own, count)} data-leaf={place === 0 || undefined} />
              {sibling ? <span className={styles["sibling"]} style={placed(sibling, count)} /> : null}
            </div>
            <p className={styles["words"]}>
              <span className={styles["name"]}>{nameOf(place, steps.length, own)}</span>{" "}
              <code className={styles["hash"]}>{hash === null ? null : fingerprint(hash)}</code>{" "}
              {sibling && side ? (
                <span className={styles["joined"]}>
                  {t("proof.seal.joined", { side, hash: fingerprint(path[place] ?? ""), count: sibling.end - sibling.start })}
                  {onSibling ? (
                    <button
                      type="button"
                      className={styles["change"]}
                      onClick={() => {
                        onSibling(place);
                      }}
                    >
                      {t("proof.seal.change")}
                    </button>
                  ) : null}
                </span>
              ) : null}
            </p>
          </li>
        );
      })}
    </ol>
  );
}

function nameOf(place: number, top: number, own: Span): string {
  if (place === top && top > 0) return t("proof.seal.root");
  return place === 0 ? t("proof.seal.thisReading") : t("proof.seal.node", { count: own.end - own.start });
}

function placed({ start, end }: Span, count: number): { left: string; width: string } {
  return { left: `${String((start / count) * 100)}%`, width: `${String(((end - start) / count) * 100)}%` };
}
