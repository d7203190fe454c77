// How long to wait before the next try. Jitter keeps a hall full of screens from knocking at the same moment after a gateway's restart.

const first = 1_000;
const longest = 30_000;

/** Milliseconds to wait before try `attempt` (from 1), between half and the whole of a doubling limit; `random` is in [0, 1). */
export function backoff(attempt: number, random: number): number {
  const limit = Math.min(longest, first * 2 ** Math.min(attempt - 1, 16));
  return Math.round(limit / 2 + (limit / 2) * random);
}
