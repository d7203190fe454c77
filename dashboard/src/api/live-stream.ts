// The one connection to the gateway's live stream: opens, watches, resumes. It knows no React and no cache, and takes its clock and timers from outside.

import { backoff } from "../util/backoff.ts";
import { address } from "./client.ts";
import type { Installation, Reading, Rollout } from "./types.ts";

/** What of a `MessageEvent` is used. */
export interface StreamEvent {
  data: string;
  lastEventId: string;
}

/** What of `EventSource` is used; tests bring their own. */
export interface Source {
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: string, listener: (event: StreamEvent) => void): void;
  close(): void;
}

/** The world around the stream. */
export interface Surroundings {
  open(url: string): Source;
  now(): number;
  random(): number;
  /** Runs `task` once after `ms`; the answer cancels it. */
  after(ms: number, task: () => void): () => void;
}

export interface Listener {
  onReading(reading: Reading): void;
  onInstallation(installation: Installation): void;
  onRollout(rollout: Rollout): void;
  /** The stream is back after it was lost, or says that too much was missed: whatever it did not replay has to be asked for. */
  onResume(): void;
}

/**
 * ```text
 *             open            error or silence
 * connecting ──────► open ──────────────────────► waiting
 *      ▲ └──────────────────────────────────────────▲ │
 *      └──────────────── back-off is over, retry() ───┘
 * ```
 */
type StreamPhase = "connecting" | "open" | "waiting";

export interface StreamState {
  phase: StreamPhase;
  /** When the connection was lost; null while it stands and before the first one did. */
  lostAt: number | null;
  /** When the next try starts, while waiting. */
  retryAt: number | null;
  /** When anything last arrived. */
  heardAt: number | null;
}

/** A line may go dead without a word: it shows as silence. The gateway sends `alive` every 15 s when there is nothing else to say. */
const longestSilence = 60_000;

export class LiveStream {
  readonly #path: string;
  readonly #around: Surroundings;
  readonly #listener: Listener;
  readonly #watchers = new Set<() => void>();
  #state: StreamState = { phase: "connecting", lostAt: null, retryAt: null, heardAt: null };
  #source: Source | null = null;
  #lastEventId = "";
  #attempt = 0;
  #cancelTimer: () => void = () => {};

  constructor(path: string, around: Surroundings, listener: Listener) {
    this.#path = path;
    this.#around = around;
    this.#listener = listener;
  }

  /** The current state; the same object until something changes. */
  readonly state = (): StreamState => this.#state;

  /** Connects with the first watcher and disconnects with the last. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#connect();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#disconnect();
    };
  };

  /** Tries at once instead of at the end of the back-off: the network is back, or somebody asked. */
  readonly retry = (): void => {
    if (this.#watchers.size > 0 && this.#state.phase === "waiting") this.#connect();
  };

  /** The network is known to be gone: no use in waiting for the silence. */
  readonly interrupt = (): void => {
    if (this.#watchers.size > 0 && this.#state.phase !== "waiting") this.#lose();
  };

  #connect(): void {
    this.#disconnect();
    this.#change({ ...this.#state, phase: "connecting", retryAt: null });
    // EventSource cannot send a Last-Event-ID header of its own on a new connection, hence the parameter.
    const source = this.#around.open(address(this.#path, { last_event_id: this.#lastEventId || undefined }));
    this.#source = source;
    this.#watchForSilence();
    source.addEventListener("open", () => {
      if (source !== this.#source) return;
      const resumed = this.#state.lostAt !== null;
      this.#attempt = 0;
      this.#watchForSilence();
      this.#change({ phase: "open", lostAt: null, retryAt: null, heardAt: this.#around.now() });
      if (resumed) this.#listener.onResume();
    });
    source.addEventListener("error", () => {
      if (source === this.#source) this.#lose();
    });
    source.addEventListener("reading", (event: StreamEvent) => {
      if (source !== this.#source) return;
      this.#hear(event, (reading: Reading) => {
        this.#listener.onReading(reading);
      });
    });
    source.addEventListener("installation", (event: StreamEvent) => {
      if (source !== this.#source) return;
      this.#hear(event, (installation: Installation) => {
        this.#listener.onInstallation(installation);
      });
    });
    source.addEventListener("rollout", (event: StreamEvent) => {
      if (source !== this.#source) return;
      this.#hear(event, (rollout: Rollout) => {
        this.#listener.onRollout(rollout);
      });
    });
    source.addEventListener("alive", (event: StreamEvent) => {
      if (source === this.#source) this.#hear(event, () => {});
    });
    source.addEventListener("reload", (event: StreamEvent) => {
      if (source !== this.#source) return;
      this.#hear(event, () => {
        this.#listener.onResume();
      });
    });
  }

  #hear<Shape>(event: StreamEvent, deliver: (shape: Shape) => void): void {
    if (event.lastEventId) this.#lastEventId = event.lastEventId;
    this.#watchForSilence();
    this.#change({ ...this.#state, heardAt: this.#around.now() });
    let shape: Shape;
    try {
      shape = JSON.parse(event.data) as Shape;
    } catch {
      // One unreadable event must not end the stream; what it carried comes back with the next refresh.
      return;
    }
    deliver(shape);
  }

  #lose(): void {
    this.#disconnect();
    this.#attempt += 1;
    const now = this.#around.now();
    const delay = backoff(this.#attempt, this.#around.random());
    this.#cancelTimer = this.#around.after(delay, () => {
      this.#connect();
    });
    this.#change({ ...this.#state, phase: "waiting", lostAt: this.#state.lostAt ?? now, retryAt: now + delay });
  }

  #watchForSilence(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#around.after(longestSilence, () => {
      this.#lose();
    });
  }

  #disconnect(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    this.#source?.close();
    this.#source = null;
  }

  #change(state: StreamState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }
}
