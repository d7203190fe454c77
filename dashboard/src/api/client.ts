// One way to ask the gateway: JSON in and out, every failure an ApiError. It retries nothing and keeps nothing but the token against forged requests.

import { learnTime } from "../util/gateway-clock.ts";
import type { Problem } from "./types.ts";

/** Why an answer could not be used: the gateway's problem document, or `status` 0 when no answer came at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>, options?: ErrorOptions) {
    super(problem.title ?? `status ${String(status)}`, options);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

type Parameters = Record<string, string | number | undefined>;

/** An address of the API; parameters that are undefined are left out. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.toString();
  return search ? `${path}?${search}` : path;
}

/**
 * Fetches and parses one answer. The shapes are the gateway's own OpenAPI document's, so they are not checked again here.
 *
 * @throws ApiError when no answer came, when it is not 2xx, or when it is not JSON.
 */
export async function getJson<Shape>(url: string, signal: AbortSignal): Promise<Shape> {
  const response = await answer(url, { signal, headers: { accept: "application/json" } });
  return parsed<Shape>(response);
}

/**
 * Fetches the bytes of one answer.
 *
 * @throws ApiError as {@link getJson} does.
 */
export async function getBytes(url: string, signal: AbortSignal): Promise<Uint8Array> {
  return new Uint8Array(await (await answer(url, { signal })).arrayBuffer());
}

/** Goes with every change, as the session's cookie alone could be sent by another site's page. */
let csrfToken: string | null = null;

/** Takes the token of the session that holds now; null when there is none. */
export function holdCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** What goes with every change. */
export function changeHeaders(): Record<string, string> {
  return csrfToken ? { accept: "application/json", "x-csrf-token": csrfToken } : { accept: "application/json" };
}

/**
 * Asks for a change. The answer is undefined when the gateway has nothing to say (status 204).
 *
 * @throws ApiError as {@link getJson} does.
 */
export async function send<Shape>(method: "POST" | "DELETE", url: string, body?: object): Promise<Shape> {
  const headers = changeHeaders();
  if (body) headers["content-type"] = "application/json";
  const response = await answer(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return response.status === 204 ? (undefined as Shape) : parsed<Shape>(response);
}

async function answer(url: string, init: RequestInit): Promise<Response> {
  const asked = Date.now();
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(0, {}, { cause });
  }
  learnTime(dateOf(response), asked);
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return response;
}

/** When an answer was given, milliseconds since 1970; not a number when it does not say. */
function dateOf({ headers }: Response): number {
  return Date.parse(headers.get("date") ?? "");
}

async function parsed<Shape>(response: Response): Promise<Shape> {
  try {
    return (await response.json()) as Shape;
  } catch (cause) {
    throw new ApiError(response.status, {}, { cause });
  }
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  if (!response.headers.get("content-type")?.includes("json")) return {};
  try {
    return (await response.json()) as Partial<Problem>;
  } catch {
    return {};
  }
}
