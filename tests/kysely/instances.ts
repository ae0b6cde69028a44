// Making and ending a Kysely, and ending a query early.
import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import { Kysely, sql } from "kysely";
import { connect, InterfaceError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { type Database, fill, type Topic } from "./target.ts";

/** Whether `execute()` takes a signal. */
const TAKES_SIGNAL = process.env.KYSELY_VERSION !== "0.28.19";

export const instances: Topic = (target) => {
  it("destroy() leaves the caller's client open", async () => {
    const db = await fill(target());
    await db.selectFrom("tags").selectAll().execute();
    await db.destroy();
    assert.equal(target().client.closed, false);
  });

  it("destroy() closes a client that the dialect made", async () => {
    const dialect = new RqliteDialect({ url: embedded() });
    const db = new Kysely<unknown>({ dialect });
    await sql`create table t(a)`.execute(db);
    await db.destroy();
    const again = new Kysely<unknown>({ dialect });
    await assert.rejects(sql`select 1`.execute(again), InterfaceError);
  });

  it("RqliteDialect refuses wrong options when it is made", () => {
    const wrong: unknown[] = [
      undefined,
      {},
      { client: {} },
      { client: target().client, url: "http://localhost:4001" },
      { url: "localhost" },
      { client: target().client, migrationLock: { timeout: -1 } },
      { client: target().client, migrationLock: { leaseDuration: 0 } },
      { client: target().client, transactionalMigrations: "yes" },
    ];
    for (const config of wrong) {
      assert.throws(
        () => new RqliteDialect(config as never),
        (error) => error instanceof TypeError || error instanceof RangeError,
        JSON.stringify(config),
      );
    }
  });

  it("a signal ends the query with its reason", { skip: !TAKES_SIGNAL }, async () => {
    const db = await fill(target());
    const query = db.selectFrom("users").selectAll();
    const aborted = AbortSignal.abort(new Error("enough"));
    await assert.rejects(query.execute({ signal: aborted }), /enough/);
    const controller = new AbortController();
    const running = query.execute({ signal: controller.signal });
    controller.abort(new Error("late"));
    await assert.rejects(running, /late/);
    assert.equal((await query.execute({ signal: new AbortController().signal })).length, 3);
  });

  for (const strategy of ["ignore query", "cancel query"] as const) {
    it(`a signal ends the request, where the strategy is to ${strategy}`, {
      skip: !TAKES_SIGNAL,
    }, async () => {
      const db = await fill(target());
      const asked = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      const client = connect("http://localhost:4001", {
        fetch: (_, init) => {
          asked.resolve();
          return new Promise((_, reject) =>
            init!.signal!.addEventListener("abort", () => {
              ended.resolve();
              reject(init!.signal!.reason);
            })
          );
        },
      });
      const slow = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
      const controller = new AbortController();
      const running = slow.selectFrom("users").selectAll().execute({
        signal: controller.signal,
        inflightQueryAbortStrategy: strategy,
      });
      await asked.promise;
      controller.abort(new Error("late"));
      await assert.rejects(running, /late/);
      await ended.promise;
      await client.close();
      assert.equal((await db.selectFrom("users").selectAll().execute()).length, 3);
    });
  }

  it("a query that is cancelled is undone, and its transaction goes on", {
    skip: !TAKES_SIGNAL,
  }, async () => {
    const db = await fill(target());
    await db.transaction().execute(async (trx) => {
      await trx.insertInto("tags").values({ name: "kept" }).execute();
      const controller = new AbortController();
      const running = trx.insertInto("tags").values({ name: "cancelled" }).execute({
        signal: controller.signal,
        inflightQueryAbortStrategy: "cancel query",
      });
      controller.abort(new Error("late"));
      await assert.rejects(running, /late/);
    });
    const tags = await db.selectFrom("tags").select("name").orderBy("name").execute();
    assert.deepEqual(tags.map(({ name }) => name), ["kept", "new", "old"]);
  });

  it("kill session is refused, as there is no session", { skip: !TAKES_SIGNAL }, async () => {
    const db = await fill(target());
    const run = db.deleteFrom("users").execute({
      signal: new AbortController().signal,
      inflightQueryAbortStrategy: "kill session",
    });
    await assert.rejects(run, /kill session.*cancel query/s);
    assert.equal((await db.selectFrom("users").selectAll().execute()).length, 3);
  });
};
