// A release and a rollout of it to twenty meters, for tests.

import type { FirmwareDevice, FirmwareRelease, RolloutCounts, RolloutDetail } from "../api/firmware.ts";

export const hardware = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";

export const nobody: RolloutCounts = { waiting: 0, fetching: 0, staged: 0, trial: 0, updated: 0, failed: 0 };

export const release: FirmwareRelease = {
  digest: "e".repeat(64),
  version: "1.4.0",
  hardware_class: hardware,
  security_counter: 7,
  suite: "es256-aes256ctr",
  payload_digest: "d".repeat(64),
  image_bytes: 1000,
  config_bytes: 0,
  layout_bytes: 0,
  signers: [],
  root_number: 1,
  state: "published",
  published_at: null,
  published_by: "desk",
  withdrawn_at: null,
  withdrawn_by: null,
  installed: 0,
  encodings: [],
};

export function deviceOf(name: string, rest: Partial<FirmwareDevice> = {}): FirmwareDevice {
  return {
    installation_id: 1,
    meter_id: name.padEnd(64, "0"),
    name,
    running_digest: "a".repeat(64),
    running_version: "1.3.0",
    running_release: null,
    hardware_class: hardware,
    security_counter: 6,
    root_number: 1,
    state: "idle",
    obstacle: null,
    release: null,
    version: null,
    done_bytes: 0,
    total_bytes: 0,
    asked_at: null,
    rollout_id: null,
    ...rest,
  };
}

export const rollout: RolloutDetail = {
  id: 1,
  name: "valley",
  release: release.digest,
  version: "1.4.0",
  state: "running",
  reason: "wave 2 updates itself",
  wave: 2,
  waves_in_all: 3,
  meters: 20,
  counts: { ...nobody, updated: 1, waiting: 19 },
  created_at: null,
  created_by: "desk",
  changed_at: null,
  plan: {
    release: release.digest,
    name: "valley",
    group: { labels: null, hardware_class: hardware, meters: null },
    waves: [{ count: 1 }, { percent: 50 }, { percent: 100 }],
    success_percent: 95,
    error_percent: 5,
    error_minimum: 2,
    soak_seconds: 3600,
    deadline_seconds: 86_400,
    window: { from: "22:00", to: "05:00" },
  },
  waves: [
    { number: 1, meters: 1, state: "passed", counts: { ...nobody, updated: 1 }, deadline_at: null, soaks_until: null },
    { number: 2, meters: 10, state: "running", counts: { ...nobody, waiting: 10 }, deadline_at: "2026-01-03T12:00:00", soaks_until: null },
    { number: 3, meters: 9, state: "waiting", counts: { ...nobody, waiting: 9 }, deadline_at: null, soaks_until: null },
  ],
  steps: [],
};
