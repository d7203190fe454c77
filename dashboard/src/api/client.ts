// One way to ask the gateway: JSON over GET, every failure an ApiError. It keeps nothing and retries nothing.

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
  let response: Response;
  try {
    response = await fetch(url, { signal, headers: { accept: "application/json" } });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(0, {}, { cause });
  }
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
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
