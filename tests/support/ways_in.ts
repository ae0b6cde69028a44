import { drizzle } from "../../packages/drizzle/mod.ts";
import { migrate as migrateDrizzle } from "../../packages/drizzle/migrator.ts";
import { cdcConfig, changeFeed, live } from "../../src/cdc/mod.ts";
import { connect as connectDbapi, run } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { rqlite } from "../../src/hono/mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { lead } from "../../src/lead/mod.ts";
import { batch, RqliteDialect } from "../../packages/kysely/mod.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { RedisLock, ValkeyLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { migrate, status } from "../../src/migrate/mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { type Client, connect, withRetry } from "../../mod.ts";

/** Where a request would go to: nobody must ask. */
export const db: Client = connect({
  fetch: () => {
    throw new Error("A request was sent");
  },
});
/** A lock that is free. */
export const lock = new LocalLock();
const command = (_: [string, ...string[]]) => Promise.resolve(null);

/** What takes options: some of which one is wrong, the right one, and the call. */
export type WayIn = (options: never) => unknown;

/** Every way in. */
export const WAYS: Readonly<Record<string, readonly [given: object, right: string, call: WayIn]>> =
  {
    "connect()": [{ timout: 5 }, "timeout", (o) => connect(o)],
    "connect() beside a URL": [{ lvel: "weak" }, "level", (o) => connect("http://a:4001", o)],
    "the defaults of transactions": [{ lokc: lock }, "lock", (o) => connect({ transaction: o })],
    "query()": [{ timeOut: 5 }, "timeout", (o) => db.query("SELECT 1", [], o)],
    "execute()": [{ ids: "a" }, "id", (o) => db.execute("DELETE FROM t", [], o)],
    "batch()": [{ atomc: false }, "atomic", (o) => db.batch([], o)],
    "session()": [{ strickt: true }, "strict", (o) => db.session("", o)],
    "iterate()": [{ pagesize: 5 }, "pageSize", (o) => db.iterate("SELECT 1", [], o)],
    "script()": [{ timeOut: 5 }, "timeout", (o) => db.script("", o)],
    "nodes()": [{ nonvoters: true }, "nonVoters", (o) => db.nodes(o)],
    "leader()": [{ singal: null }, "signal", (o) => db.leader(o)],
    "status()": [{ time_out: 5 }, "timeout", (o) => db.status(o)],
    "ready()": [{ noleader: true }, "noLeader", (o) => db.ready(o)],
    "stepDown()": [{ too: "2" }, "to", (o) => db.stepDown(o)],
    "removeNode()": [{ time_out: 5 }, "timeout", (o) => db.removeNode("a", o)],
    "snapshot()": [{ singal: 5 }, "signal", (o) => db.snapshot(o)],
    "backup()": [{ fromat: "sql" }, "format", (o) => db.backup(o)],
    "load()": [{ onprogress: never }, "onProgress", (o) => db.load("", o)],
    "boot()": [{ timout: 5 }, "timeout", (o) => db.boot(new Uint8Array(), o)],
    "enqueue()": [{ waits: true }, "wait", (o) => db.enqueue("DELETE FROM t", o)],
    "outcome()": [{ timeuot: 5 }, "timeout", (o) => db.outcome("a", o)],
    "transaction()": [{ readonly: true }, "readOnly", (o) => db.transaction(() => never(), o)],
    "begin()": [{ isolationLevel: "none" }, "isolation", (o) => db.begin(o)],
    "tx.query()": [
      { gaurd: false },
      "guard",
      async (o) => (await db.begin()).query("SELECT 1", [], o),
    ],
    "tx.execute()": [{ row: "array" }, "rows", async (o) => (await db.begin()).execute("", [], o)],
    "tx.batch()": [{ atomc: true }, "atomic", async (o) => (await db.begin()).batch([], o)],
    "withRetry()": [{ retry: 3 }, "retries", (o) => withRetry(() => never(), o)],
    "dbapi connect()": [{ autoCommit: true }, "autocommit", (o) => connectDbapi(o)],
    "dbapi run()": [{ retrys: 3 }, "retries", (o) => run(connectDbapi(), () => never(), o)],
    "rqlite() of Hono": [{ keys: "x" }, "key", (o) => rqlite(db, o)],
    "a request's transaction": [{ modes: "lazy" }, "mode", (o) => rqlite(db, { transaction: o })],
    "withLock()": [{ timeot: 5 }, "timeout", (o) => withLock(lock, () => never(), o)],
    "LocalLock.acquire()": [{ signals: 5 }, "signal", (o) => lock.acquire(o)],
    "lead()": [{ singal: 5 }, "signal", (o) => lead(lock, () => never(), o)],
    "RqliteLock": [
      { leaseduration: 5, name: "a", client: db },
      "leaseDuration",
      (o) => new RqliteLock(o),
    ],
    "RqliteLock.acquire()": [
      { timeOut: 5 },
      "timeout",
      (o) => new RqliteLock({ name: "a", client: db }).acquire(o),
    ],
    "RedisLock": [{ keyprefix: "a", name: "a", command }, "keyPrefix", (o) => new RedisLock(o)],
    "ValkeyLock": [{ renews: true, name: "a", command }, "renew", (o) => new ValkeyLock(o)],
    "RedisLock.acquire()": [
      { timeOut: 5 },
      "timeout",
      (o) => new RedisLock({ name: "a", command }).acquire(o),
    ],
    "embedded()": [{ foreign_keys: true }, "foreignKeys", (o) => embedded(":memory:", o)],
    "nodeFetch()": [{ maxsockets: 5 }, "maxSockets", (o) => nodeFetch(o)],
    "changeFeed()": [{ secrets: "a" }, "secret", (o) => changeFeed(o)],
    "cdcConfig()": [{ endPoint: "http://a" }, "endpoint", (o) => cdcConfig(o)],
    "live()": [{ table: ["t"] }, "tables", (o) => live(db, "SELECT 1", [], o)],
    "inspect()": [{ internals: true }, "internal", (o) => inspect(db, o)],
    "migrate()": [{ migration: [] }, "migrations", (o) => migrate(db, o)],
    "status() of migrations": [{ tables: "a" }, "table", (o) => status(db, o)],
    "RqliteDialect": [{ clients: db }, "client", (o) => new RqliteDialect(o)],
    "its migrationLock": [
      { timout: 5 },
      "timeout",
      (o) => new RqliteDialect({ client: db, migrationLock: o }),
    ],
    "batch() of Kysely": [{ timout: 5 }, "timeout", (o) => batch(db, [], o)],
    "drizzle()": [{ casings: "x" }, "casing", (o) => drizzle(db, o)],
    "drizzle() of one object": [{ client: db, loger: true }, "logger", (o) => drizzle(o)],
    "transaction() of Drizzle": [
      { retry: 3 },
      "retries",
      (o) => drizzle(db).transaction(() => never(), o),
    ],
    "migrate() of Drizzle": [{ migrationFolder: "x" }, "migrationsFolder", (o) => {
      return migrateDrizzle(drizzle(db), o);
    }],
  };

/** What must not run. */
export function never(): Promise<never> {
  throw new Error("It ran");
}
