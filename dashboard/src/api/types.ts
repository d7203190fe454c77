// The names the dashboard uses for the gateway's shapes. It deliberately derives nothing from them.

/** An operator's decision about a meter's key. */
type InstallationState = "waiting" | "active" | "revoked";

/** What the gateway last heard of a meter, against the cadence it expects. */
type Liveness = "live" | "late" | "silent" | "never";

/** One meter as the gateway lists it. Times ending in `_at` are ISO 8601 in UTC without a zone. */
export interface Installation {
  id: number;
  name: string;
  shelly_mac: string | null;
  public_key: string;
  created_at: string | null;
  is_active: boolean;
  last_boot_timestamp: number | null;
  meter_id: string;
  state: InstallationState;
  liveness: Liveness;
  last_seen_at: string | null;
  expected_cadence_s: number;
  rated_power_w: number | null;
  timezone: string;
  sensor_model: string | null;
  firmware_digest: string | null;
  enrolment_digest: string | null;
  enrolment_accepted: boolean;
}

/** How a sealed window proves one of its readings; all hex. In lists only `leaf_index` is filled. */
export interface ReadingProof {
  leaf_index: number;
  leaf_count: number | null;
  path: string[] | null;
  root: string | null;
  window_record: string | null;
  window_signature: string | null;
}

/** One reading. `power_w` and `total_wh` are null when the poll failed; `record` is null for rows imported unverified. */
export interface Reading {
  id: number;
  installation_id: number;
  power_w: number | null;
  total_wh: number | null;
  /** Measurement time, UNIX seconds; null when the meter did not know the time. */
  timestamp: number | null;
  signature: string | null;
  is_verified: boolean;
  created_at: string | null;
  verification_timestamp: string | null;
  is_on_chain: boolean;
  blockchain_tx_hash: string | null;
  blockchain_block_number: number | null;
  meter_id: string | null;
  sequence: number;
  /** The device's own never-decreasing sum. */
  produced_wh: number | null;
  flags: string[];
  /** The signed bytes, hex. */
  record: string | null;
  window_id: number | null;
  proof: ReadingProof | null;
}

/** Energy of one meter in its site's calendar. */
export interface Energy {
  installation_id: number;
  today_wh: number;
  month_wh: number;
  year_wh: number;
  lifetime_wh: number;
  average_7d_wh: number | null;
  timezone: string;
}

/** How one meter is, since when and why. */
export interface MeterStatus {
  installation_id: number;
  name: string;
  state: string;
  decision: InstallationState;
  liveness: Liveness;
  is_alive: boolean;
  last_seen_at: string | null;
  expected_cadence_s: number;
  since: string | null;
  why: string | null;
}

/** How the park and the gateway are. */
export interface ParkStatus {
  status: "healthy" | "degraded" | "unhealthy";
  since: string | null;
  why: string;
  time: string | null;
  internet: { state: "unknown" | "reachable" | "unreachable"; since: string | null; why: string };
  installations: MeterStatus[];
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
}
