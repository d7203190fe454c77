import { beforeEach, describe, expect, test } from "vitest";
import { LiveStream, type Source, type StreamEvent } from "./live-stream.ts";
import type { Reading } from "./types.ts";

class FakeSource implements Source {
  readonly url: string;
  closed = false;
  readonly #listeners = new Map<string, (event: StreamEvent) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: StreamEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  fire(type: string, data = "", lastEventId = ""): void {
    this.#listeners.get(type)?.({ data, lastEventId });
  }
}

/** A world whose time moves only when told to. */
class World {
  time = 1_000_000;
  sources: FakeSource[] = [];
  readings: Reading[] = [];
  resumed = 0;
  #timers: { at: number; task: () => void }[] = [];

  readonly stream = new LiveStream(
    "/api/v1/live",
    {
      open: (url) => {
        const source = new FakeSource(url);
        this.sources.push(source);
        return source;
      },
      now: () => this.time,
      random: () => 1,
      after: (ms, task) => {
        const timer = { at: this.time + ms, task };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    },
    {
      onReading: (reading) => this.readings.push(reading),
      onInstallation: () => {},
      onRollout: () => {},
      onResume: () => {
        this.resumed += 1;
      },
    },
  );

  get source(): FakeSource {
    const source = this.sources.at(-1);
    if (!source) throw new Error("nothing was opened");
    return source;
  }

  get pending(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).toSorted((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.time = due.at;
      due.task();
    }
    this.time = until;
  }
}

let world: World;
let unwatch: () => void;

beforeEach(() => {
  world = new World();
  unwatch = world.stream.watch(() => {});
});

describe("a stream that stands", () => {
  test("is opened once for all watchers and closed with the last", () => {
    const second = world.stream.watch(() => {});
    expect(world.sources).toHaveLength(1);
    unwatch();
    expect(world.source.closed).toBe(false);
    second();
    expect(world.source.closed).toBe(true);
    expect(world.pending).toBe(0);
  });

  test("delivers readings", () => {
    world.source.fire("open");
    world.source.fire("reading", '{"id":7}', "41");
    expect(world.readings).toEqual([{ id: 7 }]);
    expect(world.stream.state()).toMatchObject({ phase: "open", heardAt: world.time });
  });

  test("outlives an event that cannot be read", () => {
    world.source.fire("open");
    world.source.fire("reading", "{", "41");
    world.source.fire("reading", '{"id":8}', "42");
    expect(world.readings).toEqual([{ id: 8 }]);
  });

  test("gives the same state object until something changes", () => {
    world.source.fire("open");
    expect(world.stream.state()).toBe(world.stream.state());
  });
});

describe("a stream that is lost", () => {
  test("is opened again after the back-off, which grows", () => {
    world.source.fire("error");
    expect(world.stream.state()).toMatchObject({ phase: "waiting", retryAt: world.time + 1000 });
    world.pass(999);
    expect(world.sources).toHaveLength(1);
    world.pass(1);
    expect(world.sources).toHaveLength(2);
    world.source.fire("error");
    world.pass(1999);
    expect(world.sources).toHaveLength(2);
    world.pass(1);
    expect(world.sources).toHaveLength(3);
  });

  test("starts from a short wait again once it stood", () => {
    world.source.fire("error");
    world.pass(1000);
    world.source.fire("error");
    world.pass(2000);
    world.source.fire("open");
    world.source.fire("error");
    expect(world.stream.state().retryAt).toBe(world.time + 1000);
  });

  test("resumes after the last event that arrived", () => {
    world.source.fire("open");
    world.source.fire("reading", '{"id":7}', "a 41");
    world.source.fire("error");
    world.pass(1000);
    expect(world.source.url).toBe("/api/v1/live?last_event_id=a+41");
  });

  test("says since when, through all tries, and that it is back", () => {
    world.source.fire("open");
    world.pass(5000);
    const lostAt = world.time;
    world.source.fire("error");
    world.pass(1000);
    world.source.fire("error");
    expect(world.stream.state().lostAt).toBe(lostAt);
    expect(world.resumed).toBe(0);
    world.pass(2000);
    world.source.fire("open");
    expect(world.stream.state()).toMatchObject({ phase: "open", lostAt: null });
    expect(world.resumed).toBe(1);
  });

  test("asks for everything when the gateway says that too much was missed, and goes on from there", () => {
    world.source.fire("open");
    world.source.fire("reload", "{}", "99");
    expect(world.resumed).toBe(1);
    world.source.fire("error");
    world.pass(1000);
    expect(world.source.url).toBe("/api/v1/live?last_event_id=99");
  });

  test("does not announce the first opening as a return", () => {
    world.source.fire("open");
    expect(world.resumed).toBe(0);
  });

  test("ignores what a closed source still has to say", () => {
    const [first] = world.sources;
    world.source.fire("error");
    world.pass(1000);
    first?.fire("error");
    first?.fire("reading", '{"id":9}', "1");
    expect(world.stream.state().phase).toBe("connecting");
    expect(world.readings).toEqual([]);
  });
});

describe("a line that went dead without a word", () => {
  test("is noticed by its silence", () => {
    world.source.fire("open");
    world.pass(59_999);
    expect(world.stream.state().phase).toBe("open");
    world.pass(1);
    expect(world.stream.state().phase).toBe("waiting");
    expect(world.source.closed).toBe(true);
  });

  test("is not suspected while events arrive", () => {
    world.source.fire("open");
    for (let event = 0; event < 20; event += 1) {
      world.pass(10_000);
      world.source.fire("reading", '{"id":1}', String(event));
    }
    expect(world.sources).toHaveLength(1);
  });

  test("is not suspected while the gateway says that it is alive, though no meter sends", () => {
    world.source.fire("open");
    world.source.fire("reading", '{"id":7}', "41");
    for (let event = 0; event < 20; event += 1) {
      world.pass(15_000);
      world.source.fire("alive", '{"time":"2026-01-01T00:00:00"}', "41");
    }
    expect(world.sources).toHaveLength(1);
    expect(world.readings).toHaveLength(1);
    expect(world.resumed).toBe(0);
  });

  test("is noticed while connecting, too", () => {
    world.pass(60_000);
    expect(world.stream.state().phase).toBe("waiting");
  });
});

describe("the network's own word", () => {
  test("that it is gone ends the connection at once", () => {
    world.source.fire("open");
    world.stream.interrupt();
    expect(world.stream.state().phase).toBe("waiting");
    expect(world.source.closed).toBe(true);
  });

  test("that it is back ends the wait at once", () => {
    world.source.fire("error");
    world.stream.retry();
    expect(world.sources).toHaveLength(2);
    world.stream.retry();
    expect(world.sources).toHaveLength(2);
  });

  test("opens nothing when nobody watches", () => {
    unwatch();
    world.stream.retry();
    expect(world.sources).toHaveLength(1);
  });
});
