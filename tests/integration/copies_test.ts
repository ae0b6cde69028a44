// Two copies of the package in one program: npm installed it twice, or a library brings one of its own from JSR.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Cache, type MutationOption } from "drizzle-orm/cache/core";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import * as one from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import * as hono from "../../src/hono/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { copyPackage } from "../support/package_copy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const copy = copyPackage();
// Not earlier: parts of it are loaded by the first calls.
after(() => copy.remove());
const two = await copy.load<typeof one>("mod.ts");
const other = {
  hono: await copy.load<typeof hono>("src/hono/mod.ts"),
  dbapi: await copy.load<typeof import("../../src/dbapi/mod.ts")>("src/dbapi/mod.ts"),
  drizzle: await copy.load<typeof import("../../packages/drizzle/mod.ts")>(
    "packages/drizzle/mod.ts",
  ),
  kysely: await copy.load<typeof import("../../packages/kysely/mod.ts")>("packages/kysely/mod.ts"),
  locks: await copy.load<typeof import("../../src/locks/mod.ts")>("src/locks/mod.ts"),
  rqlite: await copy.load<typeof import("../../src/locks/rqlite.ts")>("src/locks/rqlite.ts"),
};
const { drizzle } = await import("../../packages/drizzle/mod.ts");
const { run } = await import("../../src/dbapi/mod.ts");

type ErrorClass = (new (message: string, init: object) => Error) & { readonly name: string };

function classesOf(module: typeof one): Map<string, ErrorClass> {
  const classes = new Map<string, ErrorClass>();
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === "function" && value.prototype instanceof Error) {
      classes.set(name, value as unknown as ErrorClass);
    }
  }
  return classes;
}

function made(type: ErrorClass): Error {
  return new type("made", { code: "ERR_DATABASE", lock: "a", constraint: "unique" });
}

describe("errors of two copies of the package", () => {
  const [here, there] = [classesOf(one), classesOf(two)];

  it("instanceof answers for an error of the other copy what it does for one of its own", () => {
    assert.ok(here.size >= 17, String(here.size));
    for (const [name, type] of here) {
      const foreign = there.get(name)!;
      assert.notEqual(foreign, type, `${name} is loaded twice`);
      for (const [base, mine] of here) {
        const expected = type === mine ||
          Object.prototype.isPrototypeOf.call(mine.prototype, type.prototype);
        assert.equal(made(type) instanceof mine, expected, `${name} instanceof ${base}`);
        assert.equal(made(foreign) instanceof mine, expected, `the other's ${name}, ${base}`);
        assert.equal(made(type) instanceof there.get(base)!, expected, `${name}, other's ${base}`);
      }
    }
  });

  it("instanceof keeps the classes of users apart, and what is no error", () => {
    class Mine extends one.IntegrityError {}
    class Foreign extends two.IntegrityError {}
    class Named extends two.IntegrityError {}
    Object.defineProperty(Named, "name", { value: "Mine" });
    const init = { constraint: "unique" } as const;
    const own = new Mine("own", init);
    assert.ok(own instanceof Mine && own instanceof two.IntegrityError);
    assert.ok(own instanceof two.DatabaseError && !(own instanceof two.OperationalError));
    for (const Type of [one.IntegrityError, two.IntegrityError, Foreign, Named]) {
      assert.equal(new Type("no", init) instanceof Mine, false);
    }
    class NoError {
      name = "RqliteError";
      code = "ERR_DATABASE";
    }
    const values = [
      null,
      undefined,
      1,
      "a",
      {},
      new Error("a"),
      Object.create(null),
      new NoError(),
    ];
    for (const value of [...values, one.RqliteError.prototype.constructor]) {
      assert.equal(value instanceof two.RqliteError, false);
    }
  });

  it("instanceof narrows to the class as ever, also to that of Hono's middleware", () => {
    const error: unknown = new two.TransactionConflictError("again", { attempts: 3 });
    const attempts = error instanceof one.TransactionConflictError ? error.attempts : 0;
    assert.equal(attempts, 3);
    const request = new other.hono.RequestConflictError(error as one.TransactionConflictError);
    assert.ok(request instanceof hono.RequestConflictError);
    assert.ok(!(error instanceof hono.RequestConflictError));
  });
});

interface World {
  /** Where the database is. */
  readonly at: one.ConnectOptions;
  /** A client of this copy. */
  readonly db: one.Client;
  /** One of the other copy. */
  readonly foreign: one.Client;
}

/** Told which tables were changed. */
class RecordingCache extends Cache {
  readonly mutated: unknown[] = [];

  strategy(): "explicit" {
    return "explicit";
  }

  get(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  put(): Promise<void> {
    return Promise.resolve();
  }

  onMutate({ tables }: MutationOption): Promise<void> {
    this.mutated.push(tables);
    return Promise.resolve();
  }
}

const APP = "http://localhost/";
const READ = "SELECT n FROM t";
const WRITE = "UPDATE t SET n = ?";

async function nOf(db: Pick<one.Client, "query">): Promise<number> {
  return (await db.query<{ n: number }>(READ)).rows[0]!.n;
}

/** Runs in which one that reads is overtaken the first time. */
function overtaken({ db }: World, read: () => Promise<number>) {
  let runs = 0;
  return async (): Promise<number> => {
    const n = await read();
    if (runs++ === 0) await db.execute(WRITE, [10]);
    return n + 1;
  };
}

async function within(world: World, body: (world: World) => Promise<void>): Promise<void> {
  await world.db.execute("CREATE TABLE t(n INTEGER UNIQUE)");
  await world.db.execute("INSERT INTO t VALUES(1)");
  try {
    await body(world);
  } finally {
    await world.db.close();
    await world.foreign.close();
  }
}

function worldAt(at: one.ConnectOptions): World {
  return { at, db: one.connect(at), foreign: two.connect(at) };
}

function suite(
  name: string,
  skip: string | false,
  place: (body: (world: World) => Promise<void>) => Promise<void>,
): void {
  describe(`two copies of the package on ${name}`, { skip }, () => {
    const test = (title: string, body: (world: World) => Promise<void>) =>
      it(title, () => place((world) => within(world, body)));

    test("withRetry() runs again what collides in the other copy", async (world) => {
      const { db, foreign } = world;
      let tx: one.Transaction;
      const raised = overtaken(world, () => nOf(tx));
      await one.withRetry(async () => {
        tx = await foreign.begin();
        await tx.execute(WRITE, [await raised()]);
        await tx.commit();
      });
      assert.equal(await nOf(db), 11);
    });

    test("run() runs again what collides on a connection of the other copy", async (world) => {
      const connection = other.dbapi.connect(world.at, { lock: new LocalLock() });
      const raised = overtaken(world, async () => {
        const cursor = await connection.execute(READ);
        return Number((await cursor.fetchOne())![0]);
      });
      await run(connection, async () => void await connection.execute(WRITE, [await raised()]));
      assert.equal(await nOf(world.db), 11);
      await connection.close();
    });

    test("transaction() runs again where a collision of the other copy's is thrown", async ({ db, foreign }) => {
      let runs = 0;
      await db.transaction(async (tx) => {
        await tx.query(READ);
        if (runs++ > 0) return;
        // A layer between the two, as a library of its own is one.
        await foreign.transaction(async (inner) => {
          await inner.query(READ);
          await inner.execute(WRITE, [5]);
          await db.execute(WRITE, [10]);
        }, { retries: 0 });
      });
      assert.equal(runs, 2);
    });

    test("sql`…` nests fragments of the other copy, and each client takes both", async ({ db, foreign }) => {
      const inner = two.sql`n = ${1}`;
      const outer = one.sql`SELECT ${two.sql.id("n")} FROM t WHERE ${inner}`;
      for (const client of [db, foreign]) {
        assert.deepEqual((await client.query(outer)).rows, [{ n: 1 }]);
        assert.deepEqual((await client.batch([outer, two.sql`SELECT 2 AS n`]))[1]!.rows, [{
          n: 2,
        }]);
      }
      assert.deepEqual(one.sql.join([inner, two.sql`n < ${2}`], " AND ").params, [1, 2]);
    });

    test("transaction() takes locks of the other copy, and rides with one of its database", async (world) => {
      const { db, foreign } = world;
      const locks = [
        new other.locks.LocalLock("a"),
        new other.rqlite.RqliteLock({ name: "b", client: db }),
        new RqliteLock({ name: "c", client: foreign }),
      ];
      for (const [i, lock] of locks.entries()) {
        await db.transaction((tx) => tx.execute(WRITE, [i]), { lock });
        const free = await lock.acquire({ timeout: 0 });
        assert.equal(await free.release(), true);
      }
      const riding = await locks[1]!.acquire();
      assert.ok(riding.releaseWith?.(db), "it knows the client by itself");
      await assert.rejects(
        locks[1]!.acquire({ timeout: 0 }),
        // Deno's assert compares prototypes only.
        (error: unknown) => error instanceof one.LockTimeoutError,
      );
      await riding.release();
      await withLock(locks, (handle) => Promise.resolve(handle.throwIfLost()));
    });

    test("transaction() reports the loss of a lock of the other copy", async ({ db, foreign }) => {
      const lock = new other.rqlite.RqliteLock({ name: "a", client: foreign });
      const handle = await lock.acquire();
      const lent = { name: "a", acquire: () => Promise.resolve(handle) };
      const tx = await db.begin({ lock: lent });
      await tx.execute(WRITE, [7]);
      await handle.release();
      await assert.rejects(tx.commit(), (error: unknown) => error instanceof one.LockLostError);
      assert.equal(await nOf(db), 1);
    });

    test("rqlite() and onRqliteError() of the other copy serve a client of this one", async (world) => {
      const { db } = world;
      const app = new Hono<{ Variables: hono.RqliteVariables }>();
      app.onError(other.hono.onRqliteError);
      app.use("*", hono.rqlite(db), other.hono.rqlite(db));
      app.get("/", async (c) => c.json(await nOf(c.var.db)));
      app.use("/write", other.hono.rqlite(db, { key: "tx" as "db", transaction: true }));
      app.get("/write", async (c) => {
        const tx = c.get("tx" as "db");
        await tx.execute(WRITE, [await nOf(tx) + 1]);
        await db.execute(WRITE, [10]);
        return c.text("written");
      });
      app.get("/unique", async (c) => {
        await c.var.db.execute("INSERT INTO t SELECT n FROM t");
        return c.text("never");
      });
      assert.equal(await (await app.request(APP)).json(), 1);
      assert.equal((await app.request(`${APP}write`)).status, 409);
      assert.equal((await app.request(`${APP}unique`)).status, 409);
      assert.equal(await nOf(db), 10);
    });

    test("the dialect for Kysely of the other copy takes a client of this one", async (world) => {
      const { db, at } = world;
      const kysely = new Kysely<{ t: { n: number } }>({
        dialect: new other.kysely.RqliteDialect({ client: db }),
      });
      let seen = 0;
      const raised = overtaken(world, () => Promise.resolve(seen));
      await one.withRetry(() =>
        kysely.transaction().execute(async (tx) => {
          seen = (await tx.selectFrom("t").select("n").executeTakeFirstOrThrow()).n;
          await tx.updateTable("t").set({ n: await raised() }).execute();
        })
      );
      assert.equal(await nOf(db), 11);
      const [rows] = await other.kysely.batch(one.connect(at), [
        kysely.selectFrom("t").selectAll(),
      ]);
      assert.deepEqual(rows, [{ n: 11 }]);
    });

    test("the driver for Drizzle of the other copy takes a client of this one, and each other's queries", async ({ db }) => {
      const t = sqliteTable("t", { n: integer() });
      const cache = new RecordingCache();
      const [mine, foreign] = [drizzle(db, { cache }), other.drizzle.drizzle(db)];
      await mine.batch([foreign.update(t).set({ n: 3 }), foreign.select().from(t)]);
      assert.deepEqual(cache.mutated, [["t"]]);
      const told = await foreign.transaction((tx) => tx.select().from(t));
      assert.deepEqual(told, [{ n: 3 }]);
    });
  });
}

suite("the embedded engine", false, async (body) => {
  const engine = embedded();
  await body(worldAt(engine)).finally(() => engine.close());
});

suite("rqlited", skipWithoutRqlited(), async (body) => {
  const server = await startRqlited();
  await body(worldAt({ url: server.url })).finally(() => server.stop());
});
