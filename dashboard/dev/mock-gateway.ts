// A stand-in for the gateway's public API while the dashboard is being built: the real shapes, real P-256 signatures, a made-up sun. Never shipped.
//
// MOCK_SCENE: "park" (default), "small" (one meter), "empty", "closed" (public read is off). MOCK_ZONE: the site's time zone. MOCK_CADENCE_S: seconds
// between readings.

import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import type { Energy, Installation, MeterStatus, ParkStatus, Reading } from "../src/api/types.ts";
import { localDay } from "../src/util/instant.ts";
import { inclusionPath, leafHash, rootHash } from "./merkle.ts";

const zone = process.env["MOCK_ZONE"] ?? "Europe/Berlin";
const scene = process.env["MOCK_SCENE"] ?? "park";
const cadence = Number(process.env["MOCK_CADENCE_S"] ?? 10);
const windowSeconds = 600;
const startedAt = Date.now();

interface Meter {
  installation: Installation;
  key: KeyObject;
  rated: number;
  seed: number;
  /** Local hours of today in which nothing was measured. */
  outages: readonly (readonly [from: number, to: number])[];
  /** Seconds ago at which it fell silent; null while it reports. */
  silentFor: number | null;
}

function meter(id: number, name: string, rated: number, rest: Partial<Meter> & { state?: Installation["state"] } = {}): Meter {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.from(jwk.x ?? "", "base64url"), Buffer.from(jwk.y ?? "", "base64url")]);
  const state = rest.state ?? "active";
  const silentFor = rest.silentFor ?? null;
  let liveness: Installation["liveness"] = "live";
  if (state === "waiting") liveness = "never";
  else if (silentFor !== null) liveness = silentFor > 600 ? "silent" : "late";
  return {
    installation: {
      id,
      name,
      shelly_mac: createHash("md5").update(name).digest("hex").slice(0, 12).toUpperCase(),
      public_key: point.toString("hex"),
      created_at: iso(state === "waiting" ? startedAt - 240_000 : startedAt - 190 * 86_400_000),
      is_active: state === "active",
      last_boot_timestamp: state === "waiting" ? null : Math.floor(startedAt / 1000) - 3 * 86_400 - id * 4711,
      meter_id: createHash("sha256").update(point).digest("hex"),
      state,
      liveness,
      last_seen_at: state === "waiting" ? null : iso(startedAt - (silentFor ?? 4) * 1000),
      expected_cadence_s: cadence,
      rated_power_w: rated,
      timezone: zone,
      sensor_model: "shelly_em_gen1",
      firmware_digest: createHash("sha256").update("firmware").digest("hex"),
      enrolment_digest: state === "waiting" ? null : createHash("sha256").update("enrolment").digest("hex"),
      enrolment_accepted: state === "active",
      replaces: null,
      replaced_by: null,
    },
    key: privateKey,
    rated,
    seed: id * 17,
    outages: rest.outages ?? [],
    silentFor,
  };
}

const scenes: Record<string, () => Meter[]> = {
  park: () => [
    meter(1, "Barn roof south", 9_600),
    meter(2, "Barn roof west", 6_400, { outages: [[9.2, 10.35]] }),
    meter(3, "Workshop", 4_800, { silentFor: 95 * 60 }),
    meter(4, "Carport", 3_200, { state: "waiting" }),
  ],
  small: () => [meter(1, "House roof", 7_200)],
  empty: () => [],
  closed: () => [],
};

const meters = (scenes[scene] ?? (() => []))();

function iso(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000");
}

/** A cloudy day's power, the same for the same meter and second. */
function watts(of: Meter, seconds: number): number {
  const { start, end } = localDay(seconds * 1000, zone);
  const share = (seconds * 1000 - start) / (end - start);
  const height = Math.sin(Math.PI * ((share - 0.27) / 0.45));
  if (share < 0.27 || share > 0.72) return 0;
  const slow = Math.sin(seconds / 2900 + of.seed) * Math.sin(seconds / 1130 + of.seed * 2);
  const fast = Math.sin(seconds / 97 + of.seed) * Math.sin(seconds / 41) * Math.sin(seconds / 13 + of.seed);
  const cloud = Math.max(0.16, Math.min(1, 0.8 + 0.34 * slow + (slow < 0.1 ? 0.22 * fast : 0.03 * fast)));
  const power = of.rated * 0.83 * Math.max(0, height) ** 1.25 * cloud;
  return Math.round(power * 100) / 100;
}

function isMeasured(of: Meter, seconds: number): boolean {
  if (of.installation.state === "waiting") return false;
  if (of.silentFor !== null && seconds > startedAt / 1000 - of.silentFor) return false;
  const hour = (seconds * 1000 - localDay(seconds * 1000, zone).start) / 3_600_000;
  return !of.outages.some(([from, to]) => hour >= from && hour < to);
}

/** Energy of today up to a second, by minutes. */
function today(of: Meter, seconds: number): number {
  const start = localDay(seconds * 1000, zone).start / 1000;
  let wattHours = 0;
  for (let at = start; at < seconds; at += 60) wattHours += watts(of, at) / 60;
  return wattHours;
}

function record(of: Meter, seconds: number, sequence: number, power: number, total: number): Buffer {
  const bytes = Buffer.alloc(117);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(1, 1);
  Buffer.from(of.installation.meter_id, "hex").copy(bytes, 2);
  bytes.writeUInt32BE(7, 34);
  bytes.writeBigUInt64BE(BigInt(sequence), 38);
  bytes.writeBigUInt64BE(BigInt(seconds) * 1000n, 46);
  bytes.writeBigUInt64BE(BigInt(seconds - (of.installation.last_boot_timestamp ?? 0)) * 1000n, 54);
  bytes.writeUInt8(2, 62);
  bytes.writeBigInt64BE(BigInt(Math.round(power * 1000)), 63);
  bytes.writeBigUInt64BE(BigInt(Math.round(total * 1000)), 71);
  bytes.writeBigUInt64BE(0n, 79);
  bytes.writeUInt16BE(0, 87);
  bytes.writeBigUInt64BE(BigInt(Math.round(total * 1000)), 89);
  bytes.writeUInt32BE(231_400 + (sequence % 70) * 10, 97);
  bytes.writeUInt32BE(Math.round((power / 231.4) * 1000), 101);
  bytes.writeBigInt64BE(BigInt(Math.round(power * 8)), 105);
  bytes.writeInt16BE(-32_768, 113);
  bytes.writeUInt16BE(0, 115);
  return bytes;
}

/** A reading as lists have it, or, when it is asked for alone, with the whole of its proof. */
function reading(of: Meter, seconds: number, isSingle = false): Reading {
  const { id, meter_id } = of.installation;
  const power = watts(of, seconds);
  const total = Math.round((4_812_000 * (of.rated / 9_600) + today(of, seconds)) * 10) / 10;
  const sequence = Math.floor(seconds / cadence) - 170_000_000;
  const bytes = record(of, seconds, sequence, power, total);
  const isSealed = Math.floor(seconds / windowSeconds) < Math.floor(Date.now() / 1000 / windowSeconds);
  const leaves = leavesAround(bytes);
  const root = rootHash(leaves);
  return {
    id: id * 2 ** 29 + sequence,
    installation_id: id,
    meter_id,
    sequence,
    produced_wh: total,
    flags: [],
    power_w: power,
    total_wh: total,
    timestamp: seconds,
    signature: isSealed ? null : signature(of, bytes),
    is_verified: true,
    created_at: iso(seconds * 1000 + 214),
    verification_timestamp: iso(seconds * 1000 + 216),
    is_on_chain: false,
    blockchain_tx_hash: null,
    blockchain_block_number: null,
    record: bytes.toString("hex"),
    window_id: isSealed ? Math.floor(seconds / windowSeconds) - 2_900_000 : null,
    proof: isSealed
      ? {
          leaf_index: 0,
          leaf_count: isSingle ? leaves.length : null,
          path: isSingle ? inclusionPath(0, leaves).map((hash) => hash.toString("hex")) : null,
          root: isSingle ? root.toString("hex") : null,
          window_record: isSingle ? root.toString("hex") : null,
          window_signature: isSingle ? signature(of, root) : null,
        }
      : null,
  };
}

/** A window of sixty leaves of which the first is the record: enough of one to show a path. */
function leavesAround(bytes: Buffer): Buffer[] {
  return Array.from({ length: 60 }, (_, place) => leafHash(place === 0 ? bytes : Buffer.from([place])));
}

function signature(of: Meter, bytes: Buffer): string {
  return sign("sha256", bytes, { key: of.key, dsaEncoding: "ieee-p1363" }).toString("hex");
}

/** Grid seconds from `from` to `to`, newest last. */
function grid(of: Meter, from: number, to: number): number[] {
  const seconds: number[] = [];
  const last = Math.min(to, Math.floor(Date.now() / 1000));
  for (let at = Math.ceil(from / cadence) * cadence; at <= last; at += cadence) {
    if (isMeasured(of, at)) seconds.push(at);
  }
  return seconds;
}

/** The seconds of the lowest and the highest power of each stretch. */
function thinned(of: Meter, all: readonly number[], from: number, stretch: number): number[] {
  const kept = new Map<number, [low: number, high: number]>();
  for (const at of all) {
    const place = Math.floor((at - from) / stretch);
    const [low, high] = kept.get(place) ?? [at, at];
    kept.set(place, [watts(of, at) < watts(of, low) ? at : low, watts(of, at) > watts(of, high) ? at : high]);
  }
  return [...new Set([...kept.values()].flat())].toSorted((one, other) => one - other);
}

function energyOf(of: Meter): Energy {
  const now = Math.floor(Date.now() / 1000);
  const day = today(of, of.silentFor === null ? now : startedAt / 1000 - of.silentFor);
  const scale = of.rated / 9_600;
  return {
    installation_id: of.installation.id,
    today_wh: day,
    month_wh: 412_300 * scale + day,
    year_wh: 4_406_000 * scale + day,
    lifetime_wh: 4_812_000 * scale + day,
    average_7d_wh: 24_180 * scale,
    corrected_wh: 0,
    overlap_wh: 0,
    timezone: zone,
  };
}

function status(): ParkStatus {
  return {
    status: meters.some(({ silentFor }) => silentFor !== null) ? "degraded" : "healthy",
    since: iso(startedAt),
    why: "",
    time: iso(Date.now()),
    internet: { state: "unknown", since: null, why: "No probe is configured." },
    installations: meters.map(statusOf),
  };
}

function statusOf({ installation }: Meter): MeterStatus {
  const { id, name, state, liveness, last_seen_at, created_at, expected_cadence_s } = installation;
  let since = created_at;
  if (state === "active") since = liveness === "live" ? iso(startedAt - 3.4 * 3_600_000) : last_seen_at;
  return {
    installation_id: id,
    name,
    state: state === "active" ? liveness : state,
    decision: state,
    liveness,
    is_alive: liveness === "live",
    last_seen_at,
    expected_cadence_s,
    since,
    why: null,
  };
}

type Answer = { status: number; body: unknown };

function answer(url: URL): Answer {
  const { pathname: path, searchParams: query } = url;
  if (scene === "closed") {
    return {
      status: 401,
      body: {
        type: "about:blank",
        title: "An API key is needed",
        status: 401,
        detail: "Public read is off on this gateway. Send a key as a bearer token, or set public_read.",
      },
    };
  }
  if (path === "/api/v1/installations/") return { status: 200, body: meters.map(({ installation }) => installation) };
  if (path === "/api/v1/status/") return { status: 200, body: status() };
  const [, , , collection, first, second, third] = path.split("/");
  const of = meters.find(({ installation }) => String(installation.id) === first);
  if (!of) return notFound(path);
  if (collection === "installations" && second === "energy") return { status: 200, body: energyOf(of) };
  if (collection === "installations" && second === "readings") {
    const sequence = Number(third) - of.installation.id * 2 ** 29;
    const seconds = (sequence + 170_000_000) * cadence;
    return isMeasured(of, seconds) && seconds < Date.now() / 1000 ? { status: 200, body: reading(of, seconds, true) } : notFound(path);
  }
  if (collection === "readings" && second === undefined) {
    const limit = Number(query.get("limit") ?? 8640);
    const to = Date.parse(query.get("end_time") ?? new Date().toISOString()) / 1000;
    return { status: 200, body: grid(of, to - 86_400, to).slice(-limit).toReversed().map((at) => reading(of, at)) };
  }
  if (collection === "readings" && second === "optimized") {
    const from = Date.parse(query.get("start_time") ?? "") / 1000;
    const to = Date.parse(query.get("end_time") ?? "") / 1000;
    const stretch = (2 * (to - from)) / Number(query.get("max_points") ?? 720);
    return { status: 200, body: thinned(of, grid(of, from, to), from, stretch).toReversed().map((at) => bare(of, at)) };
  }
  return notFound(path);
}

/** A reading of a curve, of which only time and power are looked at. */
function bare(of: Meter, seconds: number): Reading {
  return {
    id: 0,
    meter_id: null,
    sequence: 0,
    produced_wh: null,
    flags: [],
    installation_id: of.installation.id,
    power_w: watts(of, seconds),
    total_wh: null,
    timestamp: seconds,
    signature: null,
    is_verified: true,
    created_at: iso(startedAt),
    verification_timestamp: null,
    is_on_chain: false,
    blockchain_tx_hash: null,
    blockchain_block_number: null,
    record: null,
    window_id: null,
    proof: null,
  };
}

function notFound(path: string): Answer {
  return { status: 404, body: { type: "about:blank", title: "Not found", status: 404, detail: path } };
}

function live(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": hello\n\n");
  let sent = Math.floor(Date.now() / 1000 / cadence);
  const timer = setInterval(() => {
    const slot = Math.floor(Date.now() / 1000 / cadence);
    if (slot === sent) return;
    sent = slot;
    for (const of of meters) {
      if (!isMeasured(of, slot * cadence)) continue;
      const id = `${String(slot)}.${String(of.installation.id)}`;
      response.write(`id: ${id}\nevent: reading\ndata: ${JSON.stringify(reading(of, slot * cadence))}\n\n`);
    }
  }, 100);
  request.on("close", () => {
    clearInterval(timer);
  });
}

function handle(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/api/")) {
    next();
    return;
  }
  if (url.pathname === "/api/v1/live" && scene !== "closed") {
    live(request, response);
    return;
  }
  const { status: code, body } = answer(url);
  response.writeHead(code, { "content-type": code < 400 ? "application/json" : "application/problem+json" });
  response.end(JSON.stringify(body));
}

/** Serves the stand-in under /api of Vite's development and preview servers. */
export function mockGateway(): Plugin {
  return {
    name: "mock-gateway",
    configureServer(server) {
      server.middlewares.use(handle);
    },
    configurePreviewServer(server) {
      server.middlewares.use(handle);
    },
  };
}
