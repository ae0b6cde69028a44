// What programs do wrong: a typed error, and nothing half-written.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Kysely } from "kysely";
import { InterfaceError, ProgrammingError, TransactionConflictError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { batch, RqliteDialect, transaction } from "../../packages/kysely/mod.ts";
import { type Database, fill, names, type Topic } from "./target.ts";

const BEFORE = ["Ada", "Bob", "Cleo"];

function add(db: Kysely<Database>, name: string): Promise<unknown> {
  return db.insertInto("users").values({ name }).execute();
}

/** Ends like `Promise.allSettled`, so that no rejection is left unhandled. */
function quietly(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

export const misuse: Topic = (target) => {
  it("a client that is closed is an InterfaceError everywhere", async () => {
    await fill(target());
    const client = target().connect();
    const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    await client.close();
    const query = db.selectFrom("users").selectAll();
    const attempts: (() => Promise<unknown>)[] = [
      () => query.execute(),
      () => query.stream(1).next(),
      () => add(db, "Dan"),
      () => db.transaction().execute((trx) => add(trx, "Dan")),
      () => db.startTransaction().execute().then((trx) => add(trx, "Dan")),
      () => transaction(db, (trx) => add(trx, "Dan")),
      () => batch(client, [query]),
      () => db.introspection.getTables(),
    ];
    for (const attempt of attempts) {
      await assert.rejects(attempt(), InterfaceError, String(attempt));
    }
  });

  it("a client that is closed during a transaction ends it, and nothing of it is kept", async () => {
    const db = await fill(target());
    const client = target().connect();
    const other = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    const run = other.transaction().execute(async (trx) => {
      await add(trx, "Dan");
      await client.close();
      await add(trx, "Eve");
    });
    await assert.rejects(run, InterfaceError);
    assert.deepEqual(await names(db), BEFORE);
  });

  it("a transaction that nobody awaits before the client is closed is kept whole or not at all", async () => {
    const db = await fill(target());
    const client = target().connect();
    const other = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    const forgotten = quietly(
      other.transaction().execute(async (trx) => {
        await add(trx, "Dan");
        await add(trx, "Eve");
      }),
    );
    await client.close();
    const error = await forgotten;
    assert.ok(error === undefined || error instanceof InterfaceError, String(error));
    assert.deepEqual(await names(db), error ? BEFORE : [...BEFORE, "Dan", "Eve"]);
  });

  it("a transaction whose function ends before its queries is refused, and keeps none of them", async () => {
    const db = await fill(target());
    const forgotten: Promise<unknown>[] = [];
    const run = db.transaction().execute((trx) => {
      for (const name of ["Dan", "Eve", "Fay"]) forgotten.push(quietly(add(trx, name)));
      return Promise.resolve();
    });
    await assert.rejects(
      run,
      (error) => error instanceof InterfaceError && /await/.test(error.message),
    );
    await Promise.all(forgotten);
    assert.deepEqual(await names(db), BEFORE);
  });

  it("queries that follow the first failure of a Promise.all are not written outside of it", async () => {
    const db = await fill(target());
    const started: Promise<unknown>[] = [];
    const run = db.transaction().execute(async (trx) => {
      const all = ["Ada", "Dan", "Eve", "Fay"].map((name) => add(trx, name));
      started.push(...all.map(quietly));
      await Promise.all(all);
    });
    await assert.rejects(run, { code: "SQLITE_CONSTRAINT_UNIQUE" });
    await Promise.all(started);
    assert.deepEqual(await names(db), BEFORE);
  });

  it("nor are they on a connection() that goes on", async () => {
    const db = await fill(target());
    const started: Promise<unknown>[] = [];
    await db.connection().execute(async (one) => {
      const run = one.transaction().execute((trx) => {
        for (const name of ["Dan", "Eve", "Fay"]) started.push(quietly(add(trx, name)));
        throw new Error("no");
      });
      await assert.rejects(run, /no/);
      await Promise.all(started);
    });
    assert.deepEqual(await names(db), BEFORE);
  });

  it("queries that transaction() does not await are in it or nowhere", async () => {
    const db = await fill(target());
    for (const turns of [0, 1, 2, 3, 5, 8, 13, 21, 34]) {
      const name = `after ${turns}`;
      let late: Promise<unknown> | undefined;
      const run = transaction(db, async (trx) => {
        await add(trx, `in time for ${turns}`);
        late = quietly((async () => {
          for (let i = 0; i < turns; i++) await undefined;
          return await add(trx, name);
        })());
      });
      const error = await quietly(run);
      assert.ok(error === undefined || error instanceof InterfaceError, String(error));
      const missed = await late instanceof Error;
      const kept = await names(db);
      assert.equal(kept.includes(`in time for ${turns}`), error === undefined);
      assert.equal(kept.includes(name), error === undefined && !missed);
    }
  });

  it("transaction() runs again where its queries were not awaited, without those of the last run", async () => {
    const db = await fill(target());
    for (const on of ["a Kysely", "a connection()"]) {
      const started: Promise<unknown>[] = [];
      let runs = 0;
      const work = (one: Kysely<Database>) =>
        transaction(one, async (trx) => {
          runs++;
          if (runs === 2) return await add(trx, on);
          for (const name of ["Dan", "Eve", "Fay"]) started.push(quietly(add(trx, name)));
          throw new TransactionConflictError("changed");
        }, { retries: 1 });
      await (on === "a Kysely" ? work(db) : db.connection().execute(work));
      await Promise.all(started);
      assert.equal(runs, 2);
    }
    assert.deepEqual(await names(db), [...BEFORE, "a Kysely", "a connection()"]);
  });

  it("a transaction that is over is refused, whoever kept it", async () => {
    const db = await fill(target());
    let kept: Kysely<Database> | undefined;
    await db.transaction().execute(async (trx) => {
      kept = trx;
      await add(trx, "Dan");
    });
    await assert.rejects(add(kept!, "Eve"), /committed|over/);
    const failed = db.transaction().execute((trx) => {
      kept = trx;
      throw new Error("no");
    });
    await assert.rejects(failed, /no/);
    await assert.rejects(add(kept!, "Eve"), /rolled back|over/);
    assert.deepEqual(await names(db), [...BEFORE, "Dan"]);
  });

  it("a connection that was given back is an InterfaceError", async () => {
    const db = await fill(target());
    let kept: Kysely<Database> | undefined;
    await db.connection().execute((one) => Promise.resolve(void (kept = one)));
    await assert.rejects(add(kept!, "Dan"), InterfaceError);
    await assert.rejects(kept!.selectFrom("users").selectAll().stream().next(), InterfaceError);
    assert.deepEqual(await names(db), BEFORE);
  });

  it("a nested part that fails and is caught leaves the rest of the transaction", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await add(trx, "Dan");
    const nested = await trx.savepoint("nested").execute();
    await add(nested, "Eve");
    await assert.rejects(add(nested, "Ada"), { code: "SQLITE_CONSTRAINT_UNIQUE" });
    await nested.rollbackToSavepoint("nested").execute();
    await add(trx, "Fay");
    await trx.commit().execute();
    assert.deepEqual(await names(db), [...BEFORE, "Dan", "Fay"]);
  });

  it("a transaction inside of another is refused, and the other goes on", async () => {
    const db = await fill(target());
    await db.transaction().execute(async (trx) => {
      await add(trx, "Dan");
      const within: Kysely<Database> = trx;
      assert.throws(() => within.transaction(), /not supported/);
      await assert.rejects(transaction(within, () => assert.fail()), ProgrammingError);
    });
    assert.deepEqual(await names(db), [...BEFORE, "Dan"]);
  });

  it("transaction() refuses what is no function, or no Kysely of this dialect", async () => {
    const db = await fill(target());
    const running = add(db, "Dan");
    await assert.rejects(transaction(db, running as never), TypeError);
    // The tables are made anew for the next test.
    await running;
    const inner = new RqliteDialect({ url: embedded() });
    const other = new Kysely<Database>({
      dialect: {
        createAdapter: () => inner.createAdapter(),
        createIntrospector: (on) => inner.createIntrospector(on),
        createQueryCompiler: () => inner.createQueryCompiler(),
        createDriver: () => {
          const driver = inner.createDriver();
          driver.acquireConnection = () => Promise.resolve({} as never);
          driver.releaseConnection = () => Promise.resolve();
          return driver;
        },
      },
    });
    await assert.rejects(transaction(other, () => assert.fail()), TypeError);
    await assert.rejects(other.introspection.getTables(), TypeError);
    const ours = { name: "TypeError", message: /must be a Kysely/ };
    for (const wrong of [undefined, null, 7, {}, target().client]) {
      await assert.rejects(transaction(wrong as never, () => assert.fail()), ours);
    }
    for (const wrong of [undefined, null, 7, {}]) {
      await assert.rejects(batch(wrong as never, [db.selectFrom("users").selectAll()]), ours);
    }
    await other.destroy();
  });
};
