// Firmware that no gateway has on command: releases, a rollout in the middle of its third wave, meters in every state. The browser answers in the gateway's
// place, with the gateway's own shapes, and remembers what it was asked to change.

import type { Page, Route } from "@playwright/test";
import type {
  FirmwareDevice,
  FirmwareDeviceDetail,
  FirmwareRelease,
  FirmwareReport,
  FirmwareRoot,
  RolloutCounts,
  RolloutDetail,
  RolloutDevice,
} from "../../src/api/firmware.ts";
import type { Installation, Role, Rollout, Session } from "../../src/api/types.ts";
import { answerFor, madeUp, type MadeUpMeter } from "./made-up-park.ts";

export interface MadeUpFirmware {
  roots: FirmwareRoot[];
  releases: FirmwareRelease[];
  rollouts: RolloutDetail[];
  devices: RolloutDevice[];
  reports: FirmwareReport[];
  /** What a change is refused with; null when it is done. */
  refusal: { status: number; type: string; title: string; detail: string } | null;
  /** What was asked to be changed: the path, and the body of JSON. */
  changes: { path: string; body: unknown }[];
}

const hardware = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";

/** A digest or an id that begins with these digits. */
export function digest(start: string): string {
  return start.padEnd(64, start);
}

function agoIso(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString().replace("Z", "000");
}

const names = ["Barn south", "Barn west", "Workshop", "Carport", "Mill", "Dairy", "Greenhouse", "School roof", "Fire station", "Town hall", "Brewery", "Depot"];

function releaseOf(version: string, counter: number, state: FirmwareRelease["state"] = "published"): FirmwareRelease {
  const start = version.replaceAll(".", "");
  const whole = { base: null, base_version: null, plain_bytes: 561_152, object_bytes: 561_152, object: digest(`a${start}`), list: digest(`b${start}`) };
  const delta = { ...whole, base: digest("d130"), base_version: "1.3.0", object_bytes: 41_984, object: digest(`c${start}`) };
  return {
    digest: digest(`e${start}`),
    version,
    hardware_class: hardware,
    security_counter: counter,
    suite: "es256-aes256ctr",
    payload_digest: digest(`d${start}`),
    image_bytes: 559_104,
    config_bytes: 2048,
    layout_bytes: 0,
    signers: [digest("51"), digest("52")],
    root_number: 1,
    state,
    published_at: agoIso(9000),
    published_by: "firmware desk",
    withdrawn_at: state === "withdrawn" ? agoIso(600) : null,
    withdrawn_by: state === "withdrawn" ? "control room" : null,
    installed: version === "1.3.0" ? 8 : 3,
    encodings: version === "1.4.0" ? [whole, delta] : [whole],
  };
}

const roles: readonly RolloutDevice["rollout_state"][] = ["updated", "updated", "updated", "failed", "trial", "staged", "fetching", "fetching", "waiting", "waiting", "waiting", "waiting"];
const updateStates = { updated: "idle", failed: "rolled_back", trial: "trial", staged: "staged", fetching: "fetching", waiting: "idle" } as const;

function deviceNamed(name: string, place: number): RolloutDevice {
  const rolloutState = roles[place] ?? "waiting";
  const isNew = rolloutState === "updated" || rolloutState === "trial";
  const isAtIt = ["fetching", "staged", "trial"].includes(rolloutState);
  const total = isAtIt ? 41_984 : 0;
  return {
    installation_id: place + 1,
    meter_id: digest(`${String(place % 10)}f`),
    name,
    running_digest: digest(isNew ? "d140" : "d130"),
    running_version: isNew ? "1.4.0" : "1.3.0",
    running_release: digest(isNew ? "e140" : "e130"),
    hardware_class: hardware,
    security_counter: isNew ? 7 : 6,
    root_number: 1,
    state: updateStates[rolloutState],
    obstacle: rolloutState === "staged" ? "held" : rolloutState === "failed" ? "sensor" : null,
    release: isAtIt ? digest("e140") : null,
    version: isAtIt ? "1.4.0" : null,
    done_bytes: rolloutState === "fetching" ? 11_264 + 9216 * (place - 6) : total,
    total_bytes: total,
    asked_at: agoIso(40 + 17 * place),
    rollout_id: 1,
    wave: place === 0 ? 1 : place < 3 ? 2 : place < 9 ? 3 : 4,
    rollout_state: rolloutState,
    failure: rolloutState === "failed" ? "rolled back (sensor)" : null,
  };
}

function countsOf(devices: readonly RolloutDevice[]): RolloutCounts {
  const counts: RolloutCounts = { waiting: 0, fetching: 0, staged: 0, trial: 0, updated: 0, failed: 0 };
  for (const { rollout_state: state } of devices) counts[state] += 1;
  return counts;
}

function rolloutOf(devices: readonly RolloutDevice[]): RolloutDetail {
  const waves = [1, 2, 3, 4].map((number) => {
    const meters = devices.filter(({ wave }) => wave === number);
    return {
      number,
      meters: meters.length,
      state: number < 3 ? ("passed" as const) : number === 3 ? ("running" as const) : ("waiting" as const),
      counts: countsOf(meters),
      deadline_at: number === 3 ? agoIso(-22 * 3600) : null,
      soaks_until: null,
    };
  });
  return {
    id: 1,
    name: "1.4.0 valley",
    release: digest("e140"),
    version: "1.4.0",
    state: "running",
    reason: "wave 3 updates itself",
    wave: 3,
    waves_in_all: 4,
    meters: devices.length,
    counts: countsOf(devices),
    created_at: agoIso(7300),
    created_by: "firmware desk",
    changed_at: agoIso(12),
    plan: {
      release: digest("e140"),
      name: "1.4.0 valley",
      group: { labels: null, hardware_class: hardware, meters: null },
      waves: [{ count: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100 }],
      success_percent: 95,
      error_percent: 50,
      error_minimum: 1,
      soak_seconds: 3600,
      deadline_seconds: 86_400,
      window: { from: "22:00", to: "05:00" },
    },
    waves,
    steps: [
      { time: agoIso(600), actor: "gateway", action: "rollout.wave", detail: "wave 3 of 6 meters started" },
      { time: agoIso(600), actor: "gateway", action: "rollout.succeed", detail: "wave 2 succeeded: 2 of 2 meters confirmed" },
      { time: agoIso(3900), actor: "key control room", action: "rollout.resume", detail: "resumed" },
      { time: agoIso(4000), actor: "key control room", action: "rollout.pause", detail: "paused" },
      { time: agoIso(7300), actor: "gateway", action: "rollout.wave", detail: "wave 1 of 1 meters started" },
      { time: agoIso(7300), actor: "key firmware desk", action: "rollout.begin", detail: `release ${digest("e140")}, 12 meters: 1.4.0 valley` },
    ],
  };
}

const report: FirmwareReport = {
  received_at: agoIso(500),
  timestamp: Math.floor(Date.now() / 1000) - 502,
  outcome: "rolled_back",
  obstacle: "sensor",
  release: digest("e140"),
  version: "1.4.0",
  running_digest: digest("d130"),
  security_counter: 6,
  boot: 12,
  record: digest("0c").repeat(3),
  signature: digest("5a").repeat(2),
};

/** A park of twelve meters in the middle of a rollout. */
export function madeUpFirmware(): MadeUpFirmware {
  const devices = names.map(deviceNamed);
  const root: FirmwareRoot = {
    number: 1,
    suite: "es256-aes256ctr",
    root: { threshold: 2, keys: [digest("41"), digest("42"), digest("43")] },
    release: { threshold: 2, keys: [digest("51"), digest("52"), digest("53")] },
    assignment: { threshold: 1, keys: [digest("61")] },
    assigned_here: true,
    added_at: agoIso(80_000),
    added_by: "firmware desk",
  };
  return {
    roots: [root],
    releases: [releaseOf("1.4.0", 7), releaseOf("1.3.0", 6), releaseOf("1.2.0", 6, "withdrawn")],
    rollouts: [rolloutOf(devices)],
    devices,
    reports: [report, { ...report, outcome: "confirmed", obstacle: null, version: "1.3.0", release: digest("e130"), signature: digest("5b").repeat(2) }],
    refusal: null,
    changes: [],
  };
}

/** Answers for a park with this firmware, to somebody who has this role. */
export async function answerFirmware(page: Page, made: MadeUpFirmware, role: Role | null = "firmware"): Promise<void> {
  const meters: MadeUpMeter[] = made.devices.map(({ installation_id: id, name }) => ({ id, name, rated: 5000 }));
  const park = madeUp(meters);
  const session: Session = { ...park.session, role, name: role === null ? null : "firmware desk", csrf_token: role === null ? null : "token" };
  await answerFor(page, { ...park, session });
  await page.route("**/api/v1/installations/", (route) => route.fulfill({ json: made.devices.map(installationOf) }));
  await page.route("**/api/v1/firmware/**", (route) => answer(route, made));
  await page.route(/\/ota\/status/, (route) => answer(route, made));
  await page.addInitScript(() => {
    class Told extends EventTarget {
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new Event("open")), 20);
        Object.assign(globalThis, { tell: (type: string, data: string) => this.dispatchEvent(new MessageEvent(type, { data })) });
      }
      close(): void {
        // There is nothing to close.
      }
    }
    Object.assign(globalThis, { EventSource: Told });
  });
}

/** Says something on the page's live stream. */
export async function tell(page: Page, type: string, event: object): Promise<void> {
  await page.evaluate(([name, data]) => (globalThis as unknown as { tell: (type: string, data: string) => void }).tell(name, data), [type, JSON.stringify(event)] as const);
}

function installationOf({ installation_id: id, name, meter_id, running_digest }: FirmwareDevice): Installation {
  return {
    id,
    name,
    shelly_mac: null,
    public_key: "00",
    created_at: agoIso(190 * 86_400),
    is_active: true,
    last_boot_timestamp: 0,
    meter_id,
    state: "active",
    liveness: "live",
    last_seen_at: agoIso(4),
    expected_cadence_s: 10,
    rated_power_w: 5000,
    timezone: "Europe/Berlin",
    sensor_model: "shelly_em_gen1",
    firmware_digest: running_digest,
    enrolment_digest: null,
    enrolment_accepted: true,
    replaces: null,
    replaced_by: null,
  };
}

export function summaryOf({ plan: _plan, waves: _waves, steps: _steps, ...summary }: RolloutDetail): Rollout {
  return summary;
}

function deviceOf({ wave: _wave, rollout_state: _state, failure: _failure, ...rest }: RolloutDevice): FirmwareDevice {
  return rest;
}

async function answer(route: Route, made: MadeUpFirmware): Promise<void> {
  const request = route.request();
  const path = new URL(request.url()).pathname.replace(/^\/(?:api\/v1\/firmware|ota)/, "");
  if (request.method() === "POST") {
    await change(route, made, path);
    return;
  }
  const [, collection, id, part] = path.split("/");
  if (collection === "roots") return route.fulfill({ json: made.roots });
  if (collection === "releases") {
    if (id === undefined) return route.fulfill({ json: made.releases });
    return found(route, made.releases.find((each) => each.digest === id));
  }
  if (collection === "rollouts") {
    if (id === undefined) return route.fulfill({ json: made.rollouts.map(summaryOf) });
    const rollout = made.rollouts.find((each) => String(each.id) === id);
    return found(route, part === "devices" && rollout ? made.devices : rollout);
  }
  if (collection === "status" && id === undefined) return route.fulfill({ json: made.devices.map(deviceOf) });
  const device = made.devices.find(({ meter_id }) => meter_id === id);
  const detail: FirmwareDeviceDetail | undefined = device && { ...deviceOf(device), reports: made.reports };
  return found(route, detail);
}

function found(route: Route, json: unknown): Promise<void> {
  if (json !== undefined) return route.fulfill({ json });
  return problem(route, { status: 404, type: "/problems/not-found", title: "There is nothing here", detail: "" });
}

function problem(route: Route, json: { status: number; type: string; title: string; detail: string }): Promise<void> {
  return route.fulfill({ status: json.status, contentType: "application/problem+json", body: JSON.stringify(json) });
}

async function change(route: Route, made: MadeUpFirmware, path: string): Promise<void> {
  const request = route.request();
  const isJson = request.headers()["content-type"]?.includes("json") === true;
  made.changes.push({ path, body: isJson ? (request.postDataJSON() as unknown) : null });
  if (made.refusal) return problem(route, made.refusal);
  const [, collection, id, part] = path.split("/");
  const rollout = made.rollouts.find((each) => String(each.id) === id) ?? made.rollouts[0];
  const states = { pause: "paused", abort: "aborted", resume: "running" } as const;
  if (rollout && (part === "pause" || part === "abort" || part === "resume")) rollout.state = states[part];
  if (collection === "releases") {
    const release = made.releases.find((each) => each.digest === id) ?? made.releases[0];
    if (release && part === "withdraw") release.state = "withdrawn";
    return route.fulfill({ status: part === undefined ? 201 : 200, json: release });
  }
  return route.fulfill({ status: id === undefined ? 201 : 200, json: rollout });
}
