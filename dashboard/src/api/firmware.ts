// What the pages of firmware ask of the gateway and have it change. It understands no release file: whether one is taken is the gateway's to decide.

import { queryOptions } from "@tanstack/react-query";
import { address, ApiError, changeHeaders, getJson, send } from "./client.ts";
import type { components } from "./schema.ts";
import type { Problem, Rollout } from "./types.ts";

type Schemas = components["schemas"];

export type FirmwareRoot = Schemas["FirmwareRoot"];
export type FirmwareRelease = Schemas["FirmwareRelease"];
export type FirmwareEncoding = Schemas["FirmwareEncoding"];
/** How a meter is with its firmware. */
export type FirmwareDevice = Schemas["FirmwareDevice"];
/** A meter with what it reported of its updates. */
export type FirmwareDeviceDetail = Schemas["FirmwareDeviceDetail"];
export type FirmwareReport = Schemas["FirmwareReport"];
/** What a rollout is to be. */
export type NewRollout = Schemas["NewRollout"];
export type RolloutWaveSize = Schemas["RolloutWaveSize"];
export type RolloutCounts = Schemas["RolloutCounts"];
export type RolloutWave = Schemas["RolloutWave"];
/** A rollout with its plan, its waves and who did what. */
export type RolloutDetail = Schemas["RolloutDetail"];
/** A meter of a rollout. */
export type RolloutDevice = Schemas["RolloutDevice"];
export type RolloutStep = Schemas["RolloutStep"];

/** Meters that a list holds at most; the gateway gives no more at a time. */
export const devicesListed = 1000;

/** What meters fetch by the minute is told by no event of its own: it is asked for this often, milliseconds. */
const progressRefresh = 60_000;

const releasePath = (digest: string) => `/api/v1/firmware/releases/${encodeURIComponent(digest)}`;
const rolloutPath = (id: number) => `/api/v1/firmware/rollouts/${String(id)}`;

export const firmwareKeys = {
  all: ["firmware"],
  roots: ["firmware", "roots"],
  releases: ["firmware", "releases"],
  release: (digest: string) => ["firmware", "releases", digest],
  rollouts: ["firmware", "rollouts"],
  rollout: (id: number) => ["firmware", "rollout", id],
  rolloutDevices: (id: number) => ["firmware", "rollout", id, "devices"],
  devices: ["firmware", "devices"],
  device: (meter: string) => ["firmware", "device", meter],
} as const;

// What others publish is in no stream: it is asked for whenever the page is opened.
export const firmware = {
  roots: () =>
    queryOptions({ queryKey: firmwareKeys.roots, queryFn: ({ signal }) => getJson<FirmwareRoot[]>("/api/v1/firmware/roots", signal), staleTime: 0 }),

  /** Newest first. */
  releases: () =>
    queryOptions({
      queryKey: firmwareKeys.releases,
      queryFn: ({ signal }) => getJson<FirmwareRelease[]>("/api/v1/firmware/releases", signal),
      staleTime: 0,
    }),

  release: (digest: string) =>
    queryOptions({ queryKey: firmwareKeys.release(digest), queryFn: ({ signal }) => getJson<FirmwareRelease>(releasePath(digest), signal), staleTime: 0 }),

  /** Newest first; the stream keeps them up to date. */
  rollouts: () =>
    queryOptions({
      queryKey: firmwareKeys.rollouts,
      queryFn: ({ signal }) => getJson<Rollout[]>("/api/v1/firmware/rollouts", signal),
      staleTime: 0,
    }),

  rollout: (id: number) =>
    queryOptions({ queryKey: firmwareKeys.rollout(id), queryFn: ({ signal }) => getJson<RolloutDetail>(rolloutPath(id), signal), staleTime: 0 }),

  /** The meters of a rollout, wave by wave. */
  rolloutDevices: (id: number) =>
    queryOptions({
      queryKey: firmwareKeys.rolloutDevices(id),
      queryFn: ({ signal }) => getJson<RolloutDevice[]>(address(`${rolloutPath(id)}/devices`, { limit: devicesListed }), signal),
      staleTime: 0,
      refetchInterval: progressRefresh,
    }),

  /** How each meter in service is with its firmware. */
  devices: () =>
    queryOptions({
      queryKey: firmwareKeys.devices,
      queryFn: ({ signal }) => getJson<FirmwareDevice[]>(address("/ota/status", { limit: devicesListed }), signal),
      staleTime: 0,
      refetchInterval: progressRefresh,
    }),

  device: (meter: string) =>
    queryOptions({
      queryKey: firmwareKeys.device(meter),
      queryFn: ({ signal }) => getJson<FirmwareDeviceDetail>(`/ota/status/${encodeURIComponent(meter)}`, signal),
      staleTime: 0,
      refetchInterval: progressRefresh,
    }),
};

/** What an operator can have a rollout do. */
export type RolloutOrder = "pause" | "resume" | "abort";

export const firmwareChanges = {
  withdraw: (digest: string) => send<FirmwareRelease>("POST", `${releasePath(digest)}/withdraw`),
  begin: (rollout: NewRollout) => send<RolloutDetail>("POST", "/api/v1/firmware/rollouts", rollout),
  order: (id: number, order: RolloutOrder) => send<RolloutDetail>("POST", `${rolloutPath(id)}/${order}`),
  retry: (id: number, meter: string) => send<RolloutDetail>("POST", `${rolloutPath(id)}/devices/${encodeURIComponent(meter)}/retry`),
};

/**
 * Hands a release file to the gateway. `onProgress` is told how many of its bytes are there: the one thing that `fetch` cannot say of what it sends.
 *
 * @throws ApiError when no answer came, when it is not 2xx, or when it is not JSON.
 */
export function publishRelease(file: Blob, onProgress: (bytes: number) => void): Promise<FirmwareRelease> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/firmware/releases");
    for (const [name, value] of Object.entries(changeHeaders())) request.setRequestHeader(name, value);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded }) => {
      onProgress(loaded);
    });
    request.addEventListener("load", () => {
      const answered = parsed<FirmwareRelease & Partial<Problem>>(request.responseText);
      if (request.status >= 200 && request.status < 300 && answered) resolve(answered);
      else reject(new ApiError(request.status, answered ?? {}));
    });
    for (const failure of ["error", "abort", "timeout"]) {
      request.addEventListener(failure, () => {
        reject(new ApiError(0, {}));
      });
    }
    request.send(file);
  });
}

function parsed<Shape>(text: string): Shape | null {
  try {
    return JSON.parse(text) as Shape;
  } catch {
    return null;
  }
}
