// A meter that is live, for tests.

import type { Installation } from "./types.ts";

export const installation: Installation = {
  id: 1,
  name: "Roof",
  shelly_mac: null,
  public_key: "",
  created_at: "2026-01-01T00:00:00",
  is_active: true,
  last_boot_timestamp: 1_767_312_000,
  meter_id: "",
  state: "active",
  liveness: "live",
  last_seen_at: "2026-01-03T00:00:00",
  expected_cadence_s: 10,
  rated_power_w: 5000,
  timezone: "UTC",
  sensor_model: null,
  firmware_digest: null,
  enrolment_digest: null,
  enrolment_accepted: true,
  replaces: null,
  replaced_by: null,
};
