// A Shelly EM of the first generation, as far as a meter asks: who it is, and a counter that grows with its power. Nothing of it is random.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const mac = "EC64C9C05E97";

export class Shelly {
  /** What the plant delivers: in ten seconds two whole watt-hours. */
  readonly watts = 720;
  /** How often it was asked for its measurement. */
  polls = 0;
  readonly #began = Date.now();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const answer = this.#answer(request.url ?? "/");
      response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
      response.end(answer ? JSON.stringify(answer) : "Not Found");
    });
  }

  static async start(): Promise<Shelly> {
    const shelly = new Shelly();
    await new Promise<void>((resolve) => {
      shelly.#server.listen(0, "127.0.0.1", resolve);
    });
    return shelly;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(path: string): object | null {
    if (path === "/shelly") return { type: "SHEM", mac, auth: false, fw: "20210429-104036/v1.10.4", longid: 1, num_emeters: 2 };
    if (path !== "/status") return null;
    this.polls += 1;
    const seconds = (Date.now() - this.#began) / 1000;
    const total = 1000 + Math.round((seconds * this.watts) / 360) / 10;
    const idle = { power: 0, reactive: 0, voltage: 237.13, is_valid: true, total: 0, total_returned: 0 };
    return {
      wifi_sta: { connected: true, ssid: "Roof", ip: "127.0.0.1", rssi: -67 },
      unixtime: Math.floor(Date.now() / 1000),
      mac,
      emeters: [{ ...idle, power: this.watts, reactive: 24.38, total }, idle],
      uptime: 325 + Math.floor(seconds),
    };
  }
}
