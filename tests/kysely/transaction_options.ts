// Options of transactions: of the client, of the dialect, of one transaction.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Kysely } from "kysely";
import {
  type ConnectOptions,
  NotSupportedError,
  TimeoutError,
  TransactionConflictError,
} from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import {
  RqliteDialect,
  type RqliteTransactionOptions,
  transaction,
} from "../../packages/kysely/mod.ts";
import { type Database, fill, names, type Target, type Topic } from "./target.ts";

function open(
  target: Target,
  options?: RqliteTransactionOptions,
  connect?: ConnectOptions,
): Kysely<Database> {
  const client = target.connect(connect);
  return new Kysely<Database>({ dialect: new RqliteDialect({ client, transaction: options }) });
}

async function raise(trx: Kysely<Database>): Promise<number> {
  const { age } = await trx.selectFrom("users").select("age").where("id", "=", 1)
    .executeTakeFirstOrThrow();
  await trx.updateTable("users").set({ age: age! + 1 }).where("id", "=", 1).execute();
  return age! + 1;
}

/** Reads, lets somebody else change what was read as long as that is wanted, and writes. */
async function contend(trx: Kysely<Database>, other: Kysely<Database>, last: () => boolean) {
  await trx.selectFrom("users").select("age").where("id", "=", 1).execute();
  if (!last()) await raise(other);
  return await raise(trx);
}

export const transactionOptions: Topic = (target) => {
  it("transaction() commits what its function did, and answers what it returned", async () => {
    const db = await fill(target());
    assert.equal(await transaction(db, raise), 37);
    const row = await db.selectFrom("users").select("age").where("id", "=", 1).executeTakeFirst();
    assert.deepEqual(row, { age: 37 });
  });

  it("transaction() keeps nothing where its function throws, and throws it unchanged", async () => {
    const db = await fill(target());
    const problem = new Error("no");
    const run = transaction(db, async (trx) => {
      assert.equal(trx.isTransaction, true);
      await trx.deleteFrom("users").execute();
      throw problem;
    });
    await assert.rejects(run, (error) => error === problem);
    assert.equal((await names(db)).length, 3);
  });

  it("transaction() runs its function again on a conflict, as often as `retries` says", async () => {
    const db = await fill(target());
    const other = open(target());
    let runs = 0;
    const age = await transaction(db, (trx) => contend(trx, other, () => ++runs > 2), {
      retries: 5,
    });
    assert.equal(runs, 3);
    assert.equal(age, 39);

    runs = 0;
    const never = transaction(db, (trx) => contend(trx, other, () => ++runs > 9), { retries: 1 });
    await assert.rejects(never, TransactionConflictError);
    assert.equal(runs, 2);
  });

  it("transaction() runs once by default, and by the `retries` of the dialect or of the client", async () => {
    await fill(target());
    const other = open(target());
    const count = async (db: Kysely<Database>): Promise<number> => {
      let runs = 0;
      const run = transaction(db, (trx) => contend(trx, other, () => ++runs > 9));
      await assert.rejects(run, TransactionConflictError);
      return runs;
    };
    assert.equal(await count(open(target())), 1);
    assert.equal(await count(open(target(), { retries: 2 })), 3);
    assert.equal(await count(open(target(), {}, { transaction: { retries: 1 } })), 2);
  });

  it("transaction() waits for a `lock`, and lets it go on every path", async () => {
    const db = await fill(target());
    const holder = target().connect();
    const lock = new RqliteLock({ name: "users", client: target().client });
    const held = await new RqliteLock({ name: "users", client: holder }).acquire();
    const tooLate = transaction(db, () => assert.fail(), { lock, timeout: 50 });
    await assert.rejects(tooLate, { name: "LockTimeoutError" });
    await held.release();
    await transaction(db, raise, { lock });
    await assert.rejects(
      transaction(db, () => Promise.reject(new Error("no")), { lock }),
      /no/,
    );
    const again = await lock.acquire({ timeout: 5_000 });
    await again.release();
  });

  it("transaction() leaves savepoints and plugins as they are", async () => {
    const db = await fill(target());
    const logged: string[] = [];
    const loud = new Kysely<Database>({
      dialect: new RqliteDialect({ client: target().client }),
      log: (event) => void logged.push(event.query.sql),
    });
    await transaction(loud, (trx) => trx.insertInto("users").values({ name: "Dan" }).execute());
    assert.deepEqual([logged[0], logged.at(-1)], ["begin", "commit"]);
    assert.equal(logged.length, 3);
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo", "Dan"]);
  });

  it("`readOnly` of one transaction refuses writes, and so does that of the dialect", async () => {
    const db = await fill(target());
    const write = (trx: Kysely<Database>) => trx.deleteFrom("users").execute();
    await assert.rejects(transaction(db, write, { readOnly: true }), NotSupportedError);
    const reader = open(target(), { readOnly: true });
    await assert.rejects(reader.transaction().execute(write), NotSupportedError);
    const trx = await reader.startTransaction().execute();
    await assert.rejects(write(trx), NotSupportedError);
    await trx.rollback().execute();
    await reader.transaction().setAccessMode("read write").execute(raise);
    await transaction(reader, raise, { readOnly: false });
    assert.equal((await names(db)).length, 3);
  });

  it("`isolation` of the dialect counts, unless a level is asked for", async () => {
    const db = await fill(target());
    const loose = open(target(), { isolation: "none" });
    const race = async (trx: Kysely<Database>, name: string): Promise<void> => {
      await trx.selectFrom("users").select("age").where("id", "=", 1).execute();
      await raise(db);
      await trx.insertInto("tags").values({ name }).execute();
    };
    await loose.transaction().execute((trx) => race(trx, "unchecked"));
    for (const level of ["read uncommitted", "read committed"] as const) {
      await loose.transaction().setIsolationLevel(level).execute((trx) => race(trx, level));
    }
    for (const level of ["repeatable read", "snapshot", "serializable"] as const) {
      const run = loose.transaction().setIsolationLevel(level).execute((trx) => race(trx, level));
      await assert.rejects(run, TransactionConflictError, level);
    }
    const checked = transaction(loose, (trx) => race(trx, "x"), { isolation: "serializable" });
    await assert.rejects(checked, TransactionConflictError);
  });

  it("`timeout` and `turns` of one transaction count", async () => {
    const db = await fill(target());
    await db.transaction().execute(async (first) => {
      await raise(first);
      await assert.rejects(transaction(db, raise, { timeout: 50 }), TimeoutError);
      await transaction(db, (trx) => trx.insertInto("tags").values({ name: "x" }).execute(), {
        turns: false,
      });
    });
    const free = open(target(), { turns: false });
    await free.transaction().execute(async () => {
      await free.transaction().execute((trx) =>
        trx.insertInto("tags").values({ name: "y" }).execute()
      );
    });
    const tags = await db.selectFrom("tags").select("name").orderBy("name").execute();
    assert.deepEqual(tags.map(({ name }) => name), ["new", "old", "x", "y"]);
  });

  it("`integers`, `scope` and `signal` of one transaction count", async () => {
    const db = await fill(target());
    const id = (trx: Kysely<Database>) =>
      trx.selectFrom("users").select("id").where("id", "=", 1).executeTakeFirst();
    assert.deepEqual(await transaction(db, id, { integers: "bigint" }), { id: 1n as never });
    assert.deepEqual(await transaction(db, id), { id: 1 });

    const tag = (trx: Kysely<Database>, name: string) =>
      trx.insertInto("tags").values({ name }).execute();
    const other = open(target());
    const apart = transaction(db, async (trx) => {
      await tag(trx, "mine");
      await transaction(other, (its) => tag(its, "its"), { scope: "tags" });
    }, { scope: "tags" });
    await assert.rejects(apart, TransactionConflictError);

    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(transaction(db, () => assert.fail(), { signal }), /enough/);
  });

  it("what Kysely has no use for is refused by its name, when it is given", async () => {
    const db = await fill(target());
    const wrong: Record<string, unknown>[] = [
      { mode: "lazy" },
      { rows: "array" },
      { driver: false },
      { retries: -1 },
      { isolation: "snapshot" },
      { lock: {} },
      { timeot: 5 },
    ];
    for (const options of wrong) {
      const refused = (error: unknown): boolean =>
        (error instanceof TypeError || error instanceof RangeError) &&
        error.message.includes(Object.keys(options)[0]!);
      const run = transaction(db, () => assert.fail(), options as never);
      await assert.rejects(run, refused);
      const { client } = target();
      assert.throws(() => new RqliteDialect({ client, transaction: options as never }), refused);
    }
    await transaction(db, raise, { mode: "eager" });
  });
};
