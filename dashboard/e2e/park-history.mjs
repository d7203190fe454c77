// Waits until a demo has made its history and its meters are live. It asks the public API only.

import { setTimeout as pause } from "node:timers/promises";

/** A meter whose newest reading is older than this, by the demo's own clock, is still in its past. */
const longestLagMs = 300_000;

/** An answer of the API as JSON; `key` where not anyone may read. */
export async function answer(url, key) {
  const response = await fetch(url, { headers: key ? { authorization: `Bearer ${key}` } : {} });
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}: ${await response.text()}`);
  return await response.json();
}

/** Milliseconds of a time as the API writes it: UTC without a zone. */
export function instant(text) {
  return Date.parse(`${text}Z`);
}

async function isLive(url, key) {
  const { time, installations } = await answer(`${url}/api/v1/status/`, key);
  const meters = installations.filter(({ decision }) => decision === "active");
  if (meters.length === 0) return false;
  for (const { installation_id: meter } of meters) {
    const [newest] = await answer(`${url}/api/v1/readings/${meter}?limit=1`, key);
    if (!newest || instant(time) - newest.timestamp * 1000 > longestLagMs) return false;
  }
  return true;
}

/** Comes back once every meter of the demo at `url` is live. */
export async function historyIsMade(url, key) {
  while (!(await isLive(url, key))) await pause(1000);
}
