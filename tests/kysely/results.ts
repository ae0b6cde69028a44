// Streams, raw results, logging and plugins.
import assert from "node:assert/strict";
import { it } from "node:test";
import { CamelCasePlugin, CompiledQuery, Kysely, type LogEvent, NoResultError, sql } from "kysely";
import { ProgrammingError } from "../../mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { type Database, fill, type Topic } from "./target.ts";

async function all<R>(rows: AsyncIterable<R>): Promise<R[]> {
  const found: R[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

export const results: Topic = (target) => {
  const hundred = async () => {
    const db = await fill(target());
    const rows = Array.from({ length: 100 }, (_, i) => ({ whole: i, flag: i % 2 }));
    await db.insertInto("things").values(rows).execute();
    return db;
  };

  const counted = (): { db: Kysely<Database>; requests: () => number } => {
    let requests = 0;
    const client = target().connect({ onRequest: () => void requests++ });
    const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    return { db, requests: () => requests };
  };

  it("stream() answers every row of one table, page by page", async () => {
    await hundred();
    const { db, requests } = counted();
    const rows = await all(db.selectFrom("things").select(["whole", "flag"]).stream(30));
    assert.equal(rows.length, 100);
    assert.deepEqual(rows[99], { whole: 99, flag: 1 });
    assert.ok(requests() >= 4, `${requests()} requests`);
  });

  it("stream() answers joins, orders and views in one request", async () => {
    await hundred();
    const { db, requests } = counted();
    const ordered = db.selectFrom("things").select("whole").orderBy("whole", "desc");
    await ordered.execute(); // from here on the server is known
    const before = requests();
    assert.deepEqual((await all(ordered.stream(30)))[0], { whole: 99 });
    assert.equal(requests(), before + 1);
    const odd = db.selectFrom("things").select("whole").where("flag", "=", 1);
    await db.schema.createView("odd").as(odd).execute();
    const viewed = db.withTables<{ odd: { whole: number } }>().selectFrom("odd").select("whole");
    assert.equal((await all(viewed.stream())).length, 50);
    await db.schema.dropView("odd").execute();
  });

  it("stream() in a transaction sees what it wrote", async () => {
    const db = await hundred();
    await db.transaction().execute(async (trx) => {
      await trx.deleteFrom("things").where("whole", ">", 2).execute();
      const rows = await all(trx.selectFrom("things").select("whole").stream(2));
      assert.deepEqual(rows.map(({ whole }) => whole), [0, 1, 2]);
    });
  });

  it("stream() can be left early, and of no rows ends at once", async () => {
    const db = await hundred();
    for await (const { whole } of db.selectFrom("things").select("whole").stream(10)) {
      if (whole === 15) break;
    }
    const none = db.selectFrom("things").select("whole").where("whole", "<", 0);
    assert.deepEqual(await all(none.stream()), []);
  });

  it("stream() refuses what is not a SELECT, and a chunk size of 0", async () => {
    const db = await fill(target());
    await assert.rejects(
      all(db.deleteFrom("users").returning("id").stream()),
      { name: "ProgrammingError", message: /DELETE/ },
    );
    await assert.rejects(all(db.selectFrom("users").select("id").stream(0)), RangeError);
    await assert.rejects(
      all(db.selectFrom("users").select(sql`nope`.as("x")).stream()),
      (error) => error instanceof ProgrammingError && /no such column: nope/.test(error.message),
    );
  });

  it("executeQuery() of raw SQL answers rows, counts and ids", async () => {
    const db = await fill(target());
    const read = await db.executeQuery(CompiledQuery.raw("select 1 as one"));
    assert.deepEqual(read.rows, [{ one: 1 }]);
    assert.equal(read.numAffectedRows, undefined);
    const write = await sql`insert into tags(name) values ('raw')`.execute(db);
    assert.deepEqual(write, { rows: [], numAffectedRows: 1n, insertId: 3n });
    const ddl = await sql`create index if not exists raw_index on tags(name)`.execute(db);
    assert.deepEqual(ddl, { rows: [], numAffectedRows: 0n });
    const empty = await sql`-- nothing`.execute(db);
    assert.deepEqual(empty, { rows: [], numAffectedRows: 0n });
  });

  it("executeTakeFirstOrThrow() throws where there is no row", async () => {
    const db = await fill(target());
    const none = db.selectFrom("users").selectAll().where("id", "=", 99);
    await assert.rejects(none.executeTakeFirstOrThrow(), NoResultError);
    assert.equal(await none.executeTakeFirst(), undefined);
  });

  it("log is told of queries, errors and the ends of transactions", async () => {
    const events: LogEvent[] = [];
    const db = await fill(target(), { log: (event) => void events.push(event) });
    await db.transaction().execute(async (trx) => {
      await trx.selectFrom("tags").select("id").execute();
    });
    const controlled = await db.startTransaction().execute();
    const saved = await controlled.savepoint("a").execute();
    await saved.rollbackToSavepoint("a").execute();
    await saved.releaseSavepoint("a").execute();
    await controlled.rollback().execute();
    await sql`nonsense`.execute(db).catch(() => {});
    assert.deepEqual(
      events.map(({ level, query }) => `${level}: ${query.sql}`),
      [
        "query: begin",
        'query: select "id" from "tags"',
        "query: commit",
        "query: begin",
        'query: savepoint "a"',
        'query: rollback to "a"',
        'query: release "a"',
        "query: rollback",
        "error: nonsense",
      ],
    );
  });

  it("CamelCasePlugin maps names both ways", async () => {
    const db = (await fill(target())).withPlugin(new CamelCasePlugin()).withTables<{
      postTags: { post: number; tag: number };
    }>();
    const rows = await db.selectFrom("postTags").select("tag as theTag").where("post", "=", 3)
      .execute();
    assert.deepEqual(rows, [{ theTag: 2 }]);
  });
};
