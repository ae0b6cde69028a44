import { after } from "node:test";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { clear } from "../support/clear.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

/** A database of the test's own, and what travels to it. */
export interface World {
  readonly db: Client;
  readonly network: FaultyNetwork;
  /** The node itself. */
  readonly node: typeof fetch;
  /** Another client of the same database. */
  readonly other: Client;
  /** A client with other options. */
  readonly connect: (options: ConnectOptions) => Client;
  readonly sql: (text: string) => Promise<unknown>;
  /** The first column of the first row. */
  readonly value: (text: string) => Promise<unknown>;
}

/** Somewhere to run a test. */
export interface Place {
  readonly name: string;
  readonly skip: string | false;
  run(body: (world: World) => Promise<void>): Promise<void>;
}

async function inWorld(
  node: typeof fetch,
  url: string,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const network = new FaultyNetwork(node);
  const other = connect(url, { fetch: node });
  await body({
    db: connect(url, { fetch: network.fetch as typeof fetch, retries: 0 }),
    network,
    node,
    other,
    connect: (options) => connect(url, { fetch: node, ...options }),
    sql: (text) => other.execute(text),
    value: async (text) => {
      const { rows } = await other.query<unknown[]>(text, [], { rows: "array" });
      return rows[0]?.[0];
    },
  });
}

const inProcess: Place = {
  name: "the embedded engine",
  skip: false,
  run: async (body) => {
    const engine = embedded(":memory:", { foreignKeys: true });
    try {
      await inWorld(engine.fetch, "http://embedded:4001", body);
    } finally {
      engine.close();
    }
  },
};

/** Servers of tests that are over: to start one takes longer than most tests. */
const idle: Rqlited[] = [];

after(async () => {
  for (const server of idle.splice(0)) await server.stop();
});

/** One without a table. */
async function emptyServer(): Promise<Rqlited> {
  const server = idle.pop();
  if (server === undefined) return await startRqlited({ args: ["-fk"] });
  const cleaner = connect(server.url, { exactlyOnce: false });
  await clear(cleaner, false);
  await cleaner.close();
  return server;
}

/** `fetch` for one test, so that nothing of it arrives in the next one. */
class Traffic {
  #sent = 0;
  #answered = 0;
  #over = false;

  readonly fetch: typeof fetch = async (input, init) => {
    if (this.#over) throw new TypeError("fetch failed, as the test is over");
    this.#sent++;
    const response = await fetch(input, init);
    this.#answered++;
    return response;
  };

  /** Ends it. @returns Whether all that was sent was answered, and none was given up that may still arrive. */
  end(): boolean {
    this.#over = true;
    return this.#sent === this.#answered;
  }
}

const onServer: Place = {
  name: "rqlited",
  skip: skipWithoutRqlited(),
  run: async (body) => {
    const server = await emptyServer();
    const traffic = new Traffic();
    let passed = false;
    try {
      await inWorld(traffic.fetch, server.url, body);
      passed = true;
    } finally {
      if (traffic.end() && passed) idle.push(server);
      else await server.stop();
    }
  },
};

/** Every implementation of the server's protocol at hand. */
export const PLACES: readonly Place[] = [inProcess, onServer];
