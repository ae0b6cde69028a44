import { it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import type { rqlite } from "../../src/hono/mod.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { type AppContext, type AppEnv, COPIES, type Copy } from "./copies.ts";

/** A database with one row, and what travels to it. */
export interface World {
  readonly hono: Copy;
  readonly db: Client;
  readonly network: FaultyNetwork;
  /** What n of the only row is. */
  readonly n: () => Promise<number>;
  /** Changes it past the client under test. */
  readonly set: (n: number) => Promise<unknown>;
  /** What was thrown in the app, in order. */
  readonly thrown: Error[];
  /** An app with the middleware and one route. */
  readonly app: (
    middleware: ReturnType<typeof rqlite>,
    handler: (c: AppContext) => Response | Promise<Response>,
    ...more: ReturnType<typeof rqlite>[]
  ) => InstanceType<Copy["Hono"]>;
}

async function inWorld(hono: Copy, body: (world: World) => Promise<void>): Promise<void> {
  const engine = embedded();
  const network = new FaultyNetwork(engine.fetch);
  const db = connect({ fetch: network.fetch as typeof fetch, retries: 0 });
  const other = connect({ fetch: engine.fetch });
  await other.execute("CREATE TABLE t(n INTEGER CHECK(n < 100))");
  await other.execute("INSERT INTO t VALUES(0)");
  const thrown: Error[] = [];
  const app: World["app"] = (middleware, handler, ...more) => {
    const made = new hono.Hono<AppEnv>();
    made.onError((error, c) => {
      thrown.push(error);
      return c.text(error.name, 500);
    });
    for (const one of [middleware, ...more]) made.use("*", one);
    made.all("/", handler);
    return made as InstanceType<Copy["Hono"]>;
  };
  try {
    await body({
      hono,
      db,
      network,
      n: async () => (await other.query<{ n: number }>("SELECT n FROM t")).rows[0]!.n,
      set: (n) => other.execute("UPDATE t SET n = ?", [n]),
      thrown,
      app,
    });
  } finally {
    await db.close();
    engine.close();
  }
}

/** A test with a fresh world, once for every copy of Hono. */
export function test(name: string, body: (world: World) => Promise<void>): void {
  for (const copy of COPIES) {
    it(`${name} [hono ${copy.version}]`, () => inWorld(copy, body));
  }
}

/** What a handler of these tests may do. */
export const add = async (c: AppContext): Promise<Response> => {
  const { rows: [row] } = await c.var.db.query<{ n: number }>("SELECT n FROM t");
  await c.var.db.execute("UPDATE t SET n = ?", [row!.n + 1]);
  return c.text("added");
};
