// A park that a gateway cannot be made to have on command: meters in every state, alerts, corrections, a hundred meters. The browser answers in the gateway's
// place, with the gateway's own shapes.

import type { Page, Route } from "@playwright/test";
import type { Alert, Energy, Installation, InstallationDetail, ParkStatus, Reading, Session } from "../../src/api/types.ts";

export interface MadeUpMeter {
  id: number;
  name: string;
  rated: number | null;
  state?: "live" | "late" | "silent" | "waiting" | "revoked" | "replaced";
  /** The meter that took the place of one that was replaced. */
  by?: number;
  todayWh?: number;
  correctedWh?: number;
  /** Whether the enrolment says where the plant stands; all of them do unless said. */
  hasPlace?: boolean;
}

/** What may be changed while the page is open. */
export interface MadeUpPark {
  meters: readonly MadeUpMeter[];
  alerts: readonly Alert[];
  session: Session;
  /** Paths that were asked for, without `/api/v1`. */
  asked: string[];
}

/** A park where everybody may read. */
export function madeUp(meters: readonly MadeUpMeter[], alerts: readonly Alert[] = []): MadeUpPark {
  const session: Session = { role: null, name: null, public_read: true, expires_at: null, csrf_token: null, version: "1.0.0" };
  return { meters, alerts, session, asked: [] };
}

export const everyState: readonly MadeUpMeter[] = [
  { id: 1, name: "Barn south", rated: 9600, todayWh: 24_000 },
  { id: 2, name: "Barn west", rated: 6400, state: "late", todayWh: 19_200 },
  { id: 3, name: "Workshop", rated: 4800, state: "silent", todayWh: 4800 },
  { id: 4, name: "Carport", rated: 3200, state: "waiting" },
  { id: 5, name: "Old barn west", rated: 6000, state: "replaced", by: 2, todayWh: 0 },
  { id: 6, name: "Mill", rated: 5000, state: "revoked", todayWh: 1000 },
];

export function alertOf(id: number, name: string, kind: Alert["kind"], rest: Partial<Alert> = {}): Alert {
  return { installation_id: id, name, kind, since: isoAgo(95 * 60), count: 1, detail: "", ...rest };
}

/** Answers for a park. The live stream opens and stays silent. */
export async function answerFor(page: Page, park: MadeUpPark): Promise<void> {
  await page.route("**/api/v1/**", (route) => answer(route, park));
  await page.addInitScript(() => {
    class Silent extends EventTarget {
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new Event("open")), 20);
      }
      close(): void {
        // There is nothing to close.
      }
    }
    Object.assign(globalThis, { EventSource: Silent });
  });
}

function answer(route: Route, park: MadeUpPark): Promise<void> {
  const path = new URL(route.request().url()).pathname.replace("/api/v1", "");
  park.asked.push(path);
  const refused = !park.session.public_read && park.session.role === null;
  if (path === "/session") return route.fulfill({ json: park.session });
  if (refused) return problem(route, 401, "An API key is needed");
  if (path === "/installations/") return route.fulfill({ json: park.meters.map(installationOf) });
  if (path === "/status/") return route.fulfill({ json: statusOf(park.meters) });
  if (path === "/alerts") return route.fulfill({ json: park.alerts });
  if (path === "/energy") return route.fulfill({ json: park.meters.filter(({ state }) => state !== "waiting").map(energyOf) });
  if (path === "/readings/latest") {
    const [now = 0] = times(1, 10);
    return route.fulfill({ json: park.meters.filter(({ state }) => state !== "waiting").map((meter) => readingOf(meter, now)) });
  }
  const [, collection, id, part] = path.split("/");
  const meter = park.meters.find((each) => String(each.id) === id);
  if (!meter) return problem(route, 404, "There is nothing here");
  if (collection === "installations" && part === undefined) return route.fulfill({ json: detailOf(meter) });
  if (collection === "readings" && part === undefined) return route.fulfill({ json: times(24, 10).map((time) => readingOf(meter, time)) });
  if (collection === "readings" && part === "optimized") return route.fulfill({ json: times(200, 120).map((time) => readingOf(meter, time)) });
  return problem(route, 404, "There is nothing here");
}

function problem(route: Route, status: number, title: string): Promise<void> {
  return route.fulfill({ status, contentType: "application/problem+json", body: JSON.stringify({ title, status }) });
}

function isoAgo(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString().replace("Z", "000");
}

/** UNIX seconds of the newest `count` readings, newest first. */
function times(count: number, step: number): number[] {
  const newest = Math.floor(Date.now() / 1000 / step) * step;
  return Array.from({ length: count }, (_, place) => newest - place * step);
}

function installationOf({ id, name, rated, state = "live", by }: MadeUpMeter): Installation {
  const decision = state === "waiting" || state === "revoked" ? state : "active";
  const liveness = { live: "live", late: "late", waiting: "never", silent: "silent", revoked: "silent", replaced: "silent" } as const;
  const ago = { live: 4, late: 70, silent: 95 * 60, revoked: 95 * 60, replaced: 40 * 86_400, waiting: 0 };
  return {
    id,
    name,
    shelly_mac: "EC64C9C05E97",
    public_key: "00",
    created_at: isoAgo(190 * 86_400),
    is_active: decision === "active",
    last_boot_timestamp: Math.floor(Date.now() / 1000) - 300_000,
    meter_id: "8fd6ea08d4400a1201fe12bfbd20a5b9377e58c2e3c25c784631e8e384364ff0",
    state: decision,
    liveness: liveness[state],
    last_seen_at: state === "waiting" ? null : isoAgo(ago[state]),
    expected_cadence_s: 10,
    rated_power_w: rated,
    timezone: "Europe/Berlin",
    sensor_model: "shelly_em_gen1",
    firmware_digest: null,
    enrolment_digest: null,
    enrolment_accepted: true,
    replaces: null,
    replaced_by: by ?? null,
  };
}

function detailOf(meter: MadeUpMeter): InstallationDetail {
  const { hasPlace = true, rated } = meter;
  return {
    ...installationOf(meter),
    enrolment: {
      digest: "aa",
      number: 1,
      time: isoAgo(190 * 86_400),
      operator: "aa",
      custody: "software",
      sensor_model: "shelly_em_gen1",
      shelly_mac: "EC64C9C05E97",
      channel: 0,
      production_counter: "total",
      ct_ratio_milli: 1000,
      rated_power_w: rated ?? 0,
      latitude_e7: hasPlace ? 513_120_000 : null,
      longitude_e7: hasPlace ? 94_790_000 : null,
      tilt_decidegrees: 300,
      azimuth_decidegrees: 1800,
      grid_connection: null,
      accepted: true,
    },
    proposal: { sensor_model: null, shelly_mac: null, channel: null, production_counter: null, rated_power_w: null, time_zone: null },
    last_boot: null,
    status_report: null,
    revocation: null,
  };
}

function energyOf({ id, todayWh = 5000, correctedWh = 0 }: MadeUpMeter): Energy {
  return {
    installation_id: id,
    today_wh: todayWh,
    month_wh: 20 * todayWh,
    year_wh: 250 * todayWh,
    lifetime_wh: 600 * todayWh,
    overlap_wh: 0,
    average_7d_wh: todayWh,
    produced_wh: 600 * todayWh,
    corrected_wh: correctedWh,
    timezone: "Europe/Berlin",
  };
}

function statusOf(meters: readonly MadeUpMeter[]): ParkStatus {
  return {
    status: "healthy",
    since: isoAgo(86_400),
    why: "",
    time: isoAgo(0),
    gateway_since: isoAgo(86_400),
    internet: { state: "unknown", since: null, why: "no probe is configured" },
    installations: meters.map(installationOf).map(({ id, name, state, liveness, last_seen_at }) => ({
      installation_id: id,
      name,
      state: state === "active" ? liveness : state,
      decision: state,
      liveness,
      is_alive: liveness === "live",
      last_seen_at,
      expected_cadence_s: 10,
      since: liveness === "live" ? isoAgo(3 * 86_400) : last_seen_at,
      why: state === "revoked" ? "Sold with the mill." : "in the gateway's own words",
    })),
  };
}

function readingOf({ id, rated }: MadeUpMeter, timestamp: number): Reading {
  return {
    id: id * 10_000_000 + (Math.floor(timestamp / 10) % 10_000_000),
    installation_id: id,
    meter_id: null,
    sequence: Math.floor(timestamp / 10),
    produced_wh: null,
    flags: [],
    power_w: 100 + (rated ?? 0) / 10,
    total_wh: null,
    timestamp,
    signature: "00",
    is_verified: true,
    created_at: new Date(timestamp * 1000).toISOString().replace("Z", "000"),
    verification_timestamp: null,
    is_on_chain: false,
    blockchain_tx_hash: null,
    blockchain_block_number: null,
    record: null,
    window_id: null,
    proof: null,
  };
}
