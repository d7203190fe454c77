// The program `wattwitness` as processes of their own: a gateway that can be stopped and started on the same port and data, and a meter before it.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binary } from "./environment.ts";

/** A process, with what it printed for whoever has to find out why it ended. */
class Process {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.#child = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
    this.#ended = once(this.#child, "close").then(() => {
      this.#hear();
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (!output) continue;
      createInterface({ input: output }).on("line", (line) => {
        this.#hear(line);
      });
    }
  }

  get printed(): string {
    return this.#lines.join("\n");
  }

  /** Waits until it prints a line like this; the answer is its first group. */
  async says(pattern: RegExp): Promise<string> {
    return await new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(this.printed)?.[1];
        const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (found === undefined && !hasEnded) return;
        this.#watchers.delete(look);
        if (found === undefined) reject(new Error(`it ended before it said ${String(pattern)}\n${this.printed}`));
        else resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** What it printed, at its own end, which is to be a good one. */
  async output(): Promise<string> {
    await this.#ended;
    if (this.#child.exitCode !== 0) throw new Error(`it failed\n${this.printed}`);
    return this.printed;
  }

  /** Ends it and waits until it has ended; it may have done so already. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  #hear(line?: string): void {
    if (line !== undefined) this.#lines.push(line);
    for (const watcher of this.#watchers) watcher();
  }
}

/** A folder with a gateway and, once enrolled, a meter. Everything that it started ends with it. */
export class Site {
  #folder = "";
  #gateway: Process | null = null;
  #meter: Process | null = null;
  #url = "";

  /** Where the gateway serves; the same after it was started again. */
  get url(): string {
    return this.#url;
  }

  async startGateway(): Promise<void> {
    this.#folder ||= mkdtempSync(join(tmpdir(), "wattwitness-site-"));
    const listen = this.#url ? new URL(this.#url).host : "127.0.0.1:0";
    this.#gateway = new Process(["serve", "--listen", listen, "--data", this.#path("data"), "--public-read"]);
    this.#url = await this.#gateway.says(/ready; stop with Ctrl-C.*?(http:\/\/[\d.:]+)/);
  }

  async stopGateway(signal: NodeJS.Signals): Promise<void> {
    await this.#gateway?.stop(signal);
  }

  /** Makes a meter's key, lets it announce itself, and approves it as an operator does. */
  async enrolMeter(shelly: string): Promise<void> {
    await new Process(["keys", "new", this.#path("meter.key")]).output();
    const id = (await new Process(["keys", "show", this.#path("meter.key"), "--id"]).output()).trim();
    const gateway = ["--gateway", this.#url];
    const plant = ["--rated-power-w", "800", "--time-zone", "Europe/Berlin"];
    this.#meter = new Process(["meter", "--shelly", shelly, ...gateway, "--key", this.#path("meter.key"), "--name", "Barn roof", ...plant]);
    await new Process(["enrol", ...gateway, "--api-key-file", this.#path("data/admin.key"), "--meter", id, ...plant]).output();
  }

  async stopMeter(signal: NodeJS.Signals): Promise<void> {
    await this.#meter?.stop(signal);
  }

  /** Ends everything at once and leaves nothing behind. */
  async close(): Promise<void> {
    await this.stopMeter("SIGKILL");
    await this.stopGateway("SIGKILL");
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
