import assert from "node:assert/strict";
import { it } from "node:test";
import { Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { LockTimeoutError } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { type MigrationLock, RqliteDialect } from "../../packages/kysely/mod.ts";
import { migrate, migratorOf } from "./migrator.ts";
import type { Target, Topic } from "./target.ts";

/** Makes a table `runs`, and notes itself there. */
const MIGRATIONS: Record<string, Migration> = {
  a: {
    up: async (db) => {
      await db.schema.createTable("runs").addColumn("name", "text").execute();
      await sql`insert into runs values ('a')`.execute(db);
    },
    down: (db) => db.schema.dropTable("runs").execute(),
  },
  b: {
    up: async (db) => void await sql`insert into runs values ('b')`.execute(db),
    down: async (db) => void await sql`delete from runs where name = 'b'`.execute(db),
  },
};

const BROKEN: Record<string, Migration> = {
  ...MIGRATIONS,
  c: {
    up: async (db) => {
      await sql`insert into runs values ('c')`.execute(db);
      await sql`insert into nowhere values (1)`.execute(db);
    },
  },
};

async function empty({ client }: Target): Promise<void> {
  const tables = ["runs", "kysely_migration", "kysely_migration_lock"];
  await client.batch(tables.map((name) => `DROP TABLE IF EXISTS ${name}`));
}

async function runs({ client }: Target): Promise<unknown[]> {
  const { rows } = await client.query<{ name: string }>("SELECT name FROM runs");
  return rows.map(({ name }) => name);
}

export const migrations: Topic = (target) => {
  const open = (
    options: { migrationLock?: MigrationLock; transactionalMigrations?: boolean } = {},
  ) => new Kysely<unknown>({ dialect: new RqliteDialect({ client: target().client, ...options }) });

  for (const transactionalMigrations of [false, true]) {
    const how = transactionalMigrations ? "with" : "without";

    it(`migrateToLatest() ${how} a transaction runs what is missing, and migrateDown() takes it back`, async () => {
      await empty(target());
      const db = open({ transactionalMigrations });
      const { error, results } = await migrate(db, MIGRATIONS);
      assert.equal(error, undefined);
      assert.deepEqual(results?.map(({ status }) => status), ["Success", "Success"]);
      assert.deepEqual(await runs(target()), ["a", "b"]);
      assert.deepEqual((await migrate(db, MIGRATIONS)).results, []);
      const down = await migratorOf(db, MIGRATIONS).migrateDown();
      assert.equal(down.error, undefined);
      assert.deepEqual(await runs(target()), ["a"]);
    });

    it(`8 × migrateToLatest() ${how} a transaction runs each migration once`, async () => {
      await empty(target());
      const clients = Array.from({ length: 4 }, () => target().connect());
      const all = clients.flatMap((client) => {
        const dialect = new RqliteDialect({ client, transactionalMigrations });
        const db = new Kysely<unknown>({ dialect });
        return [migrate(db, MIGRATIONS), migrate(db, MIGRATIONS)];
      });
      const settled = await Promise.all(all);
      assert.deepEqual(settled.map(({ error }) => error), settled.map(() => undefined));
      assert.equal(settled.flatMap(({ results }) => results ?? []).length, 2);
      assert.deepEqual(await runs(target()), ["a", "b"]);
    });
  }

  it("a migration that fails leaves what it did, as with other SQLite dialects", async () => {
    await empty(target());
    const { error, results } = await migrate(open(), BROKEN);
    assert.match(String(error), /no such table: nowhere/);
    assert.deepEqual(results?.map(({ status }) => status), ["Success", "Success", "Error"]);
    assert.deepEqual(await runs(target()), ["a", "b", "c"]);
  });

  it("a migration that fails takes all with it where they are one transaction", async () => {
    await empty(target());
    const { error } = await migrate(open({ transactionalMigrations: true }), BROKEN);
    assert.match(String(error), /no such table: nowhere/);
    await assert.rejects(runs(target()), /no such table: runs/);
    assert.equal(
      (await migrate(open({ transactionalMigrations: true }), MIGRATIONS)).error,
      undefined,
    );
  });

  it("a migrator waits for another one as long as it is told, and leaves its lock alone", async () => {
    await empty(target());
    const client = target().connect();
    const name = "kysely:kysely_migration_lock:migration_lock";
    const held = await new RqliteLock({ name, client }).acquire();
    const db = open({ migrationLock: { timeout: 50 } });
    const { error } = await migrate(db, MIGRATIONS);
    assert.ok(error instanceof LockTimeoutError);
    assert.equal(await held.release(), true);
    assert.equal((await migrate(open(), MIGRATIONS)).error, undefined);
    await client.close();
  });

  it("a migration of nothing but a comment does nothing", async () => {
    await empty(target());
    const { error } = await migrate(open(), {
      a: { up: async (db) => void await sql`-- nothing yet`.execute(db) },
      b: { up: async (db) => void await sql``.execute(db) },
    });
    assert.equal(error, undefined);
  });

  it("a migration of two statements in one text fails, and says so", async () => {
    await empty(target());
    const { error } = await migrate(open(), {
      a: { up: async (db) => void await sql`create table x(a); create table y(a)`.execute(db) },
    });
    assert.match(String(error), /2 statements|one statement/);
  });
};
