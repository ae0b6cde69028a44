// The first calls of a client, on a database that no client has used: alone and at once, through every entry point.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eq } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import type { Client, Row, Transaction, TransactionOptions } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { onRqliteError, rqlite, type RqliteMiddlewareOptions } from "../../src/hono/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import type { AppEnv } from "../hono/copies.ts";
import { PLACES, type World } from "./world.ts";

/** A database with one table, one row (0, 0) in it, and nothing of ours. */
interface Fresh {
  readonly world: World;
  readonly origin: string;
  /** Sends statements past every client of ours. */
  readonly raw: (...statements: unknown[]) => Promise<unknown>;
}

const SCHEMA = [
  "DROP TABLE IF EXISTS a",
  "DROP TABLE IF EXISTS _rqlite_commit",
  "DROP TABLE IF EXISTS _rqlite_version",
  "CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "INSERT INTO a(id, n) VALUES(0, 0)",
];

async function originOf({ connect }: World): Promise<string> {
  let node = "";
  const client = connect({ onRequest: (event) => void (node = event.node) });
  await client.query("SELECT 1");
  await client.close();
  return node;
}

async function freshOf(world: World): Promise<Fresh> {
  const origin = await originOf(world);
  const raw = async (...statements: unknown[]): Promise<unknown> => {
    const response = await world.network.fetch(`${origin}/db/request?level=strong`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(statements),
    });
    const text = await response.text();
    assert.ok(response.ok && !text.includes('"error":'), text);
    return JSON.parse(text);
  };
  return { world, origin, raw };
}

interface Stored {
  readonly id: number;
  readonly n: number;
}

const READ = "SELECT * FROM a WHERE id = ?";
const INSERT = "INSERT INTO a(id, n) VALUES(?, ?)";

/** The row that is there from the start. */
async function readZero(executor: Pick<Client, "query">): Promise<void> {
  const { rows } = await executor.query<Stored>(READ, [0]);
  assert.deepEqual(rows.map(({ id, n }) => [id, n]), [[0, 0]]);
}

/** Reads, stores the row (i, i) and reads it. */
async function work(tx: Pick<Client, "query" | "execute">, i: number): Promise<void> {
  await readZero(tx);
  const { rowsAffected } = await tx.execute(INSERT, [i, i]);
  assert.equal(rowsAffected, 1);
  const { rows } = await tx.query<Stored>(READ, [i]);
  assert.deepEqual(rows.map(({ id, n }) => [id, n]), [[i, i]]);
}

const numbers = (calls: number): number[] => Array.from({ length: calls }, (_, i) => i + 1);

/** Makes all the calls at once; one that fails fails the test, and none is left running. */
async function atOnce(calls: number, call: (i: number) => Promise<unknown>): Promise<void> {
  const ended = await Promise.allSettled(numbers(calls).map((i) => call(i)));
  const failed = ended.flatMap((one) => one.status === "rejected" ? [String(one.reason)] : []);
  assert.deepEqual(failed, []);
}

async function commit(tx: Transaction, i: number): Promise<void> {
  await work(tx, i);
  await tx.commit();
  assert.equal(tx.state, "committed");
}

async function throughApp(
  client: Client,
  calls: number,
  options: RqliteMiddlewareOptions,
): Promise<void> {
  const app = new Hono<AppEnv>();
  app.onError(onRqliteError);
  app.use("*", rqlite(client, options));
  app.post("/:i", async (c) => {
    await work(c.var.db, Number(c.req.param("i")));
    return c.text("stored");
  });
  const answers = await Promise.all(
    numbers(calls).map(async (i) => await app.request(`/${i}`, { method: "POST" })),
  );
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  assert.deepEqual(
    answers.map(({ status }) => status),
    numbers(calls).map(() => 200),
    texts.join("\n"),
  );
}

interface Tables {
  a: { id: number; n: number };
}

const a = sqliteTable("a", { id: integer().primaryKey(), n: integer() });

/** Makes calls at once through a client of their own; call `i` stores the row (i, i). */
type Entry = (client: Client, calls: number, fresh: Fresh) => Promise<void>;

const WRITES: Record<string, Entry> = {
  "execute()": (db, calls) => atOnce(calls, (i) => db.execute(INSERT, [i, i])),
  "execute() with RETURNING": (db, calls) =>
    atOnce(calls, async (i) => {
      const { rows } = await db.execute<Stored>(`${INSERT} RETURNING id, n`, [i, i]);
      assert.deepEqual(rows, [{ id: i, n: i }]);
    }),
  "execute() of inserts that leave the key out": (db, calls) =>
    atOnce(calls, async () => {
      const { lastInsertId } = await db.execute("INSERT INTO a(n) VALUES(-1)");
      const { rowsAffected } = await db.execute("UPDATE a SET n = id WHERE id = ?", [
        lastInsertId!,
      ]);
      assert.equal(rowsAffected, 1);
    }),
  "batch()": (db, calls) =>
    atOnce(calls, async (i) => {
      const results = await db.batch([[INSERT, i, i], [READ, i]]);
      assert.equal(results[0]!.rowsAffected, 1);
      assert.equal((results[1]!.rows[0] as Row | undefined)?.["n"], i);
    }),
  "transaction()": (db, calls) =>
    atOnce(calls, (i) => db.transaction((tx) => work(tx, i), { retries: 0 })),
  "transaction(), lazy": (db, calls) =>
    atOnce(calls, (i) =>
      db.transaction(async (tx) => {
        await readZero(tx);
        await tx.execute(INSERT, [i, i]);
        assert.equal((await tx.query<Stored>(READ, [i])).rows[0]?.n, i);
      }, { mode: "lazy", retries: 0 })),
  "begin()": (db, calls) => atOnce(calls, async (i) => await commit(await db.begin(), i)),
  "the DB-API, on one connection": async (_, calls, { world, origin }) => {
    const node = world.network.fetch as typeof fetch;
    const connection = connectDbapi(origin, { fetch: node });
    await atOnce(calls, (i) => connection.execute(INSERT, [i, i]));
    await connection.commit();
    await connection.close();
  },
  "the DB-API, on connections of their own": (_, calls, { world, origin }) =>
    atOnce(calls, async (i) => {
      const node = world.network.fetch as typeof fetch;
      const connection = connectDbapi(origin, { fetch: node });
      const cursor = await connection.execute("SELECT n FROM a WHERE id = 0");
      assert.deepEqual(await cursor.fetchAll(), [[0]]);
      await connection.execute(INSERT, [i, i]);
      await connection.commit();
      await connection.close();
    }),
  "a Hono app": (db, calls) => throughApp(db, calls, {}),
  "a Hono app with transactions": (db, calls) => throughApp(db, calls, { transaction: true }),
  "a Hono app with transactions that do not run again": (db, calls) =>
    throughApp(db, calls, { transaction: { retries: 0 } }),
  "Kysely": (client, calls) => {
    const db = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });
    return atOnce(calls, (i) => db.insertInto("a").values({ id: i, n: i }).execute());
  },
  "transactions of Kysely": (client, calls) => {
    const db = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });
    return atOnce(calls, (i) =>
      db.transaction().execute(async (tx) => {
        const zero = await tx.selectFrom("a").select("n").where("id", "=", 0).execute();
        assert.deepEqual(zero, [{ n: 0 }]);
        const query = tx.insertInto("a").values({ id: i, n: i }).returning("n");
        assert.deepEqual(await query.execute(), [{ n: i }]);
      }));
  },
  "Drizzle": (client, calls) => {
    const db = drizzle(client);
    return atOnce(calls, (i) => db.insert(a).values({ id: i, n: i }));
  },
  "transactions of Drizzle": (client, calls) => {
    const db = drizzle(client);
    return atOnce(calls, (i) =>
      db.transaction(async (tx) => {
        assert.deepEqual(await tx.select().from(a).where(eq(a.id, 0)), [{ id: 0, n: 0 }]);
        const stored = await tx.insert(a).values({ id: i, n: i }).returning();
        assert.deepEqual(stored, [{ id: i, n: i }]);
      }));
  },
};

const READS: Record<string, Entry> = {
  "query()": (db, calls) => atOnce(calls, () => readZero(db)),
  "batch() of reads": (db, calls) =>
    atOnce(calls, async () => {
      const [result] = await db.batch([[READ, 0]]);
      assert.equal(result!.rows.length, 1);
    }),
  "transaction() that only reads": (db, calls) =>
    atOnce(calls, () => db.transaction(readZero, { retries: 0 })),
  "transaction() that is read-only": (db, calls) =>
    atOnce(calls, () => db.transaction(readZero, { retries: 0, readOnly: true })),
  "begin() that only reads": (db, calls) =>
    atOnce(calls, async () => {
      const tx = await db.begin();
      await readZero(tx);
      await tx.commit();
    }),
};

const COUNTS = [1, 2, 3, 10, 50];

/** Every option, with which fields of the row (0, 0) it changes. */
const OPTIONS: Record<string, () => TransactionOptions> = {
  "no options": () => ({}),
  "mode: lazy": () => ({ mode: "lazy" }),
  "readOnly": () => ({ readOnly: true }),
  "readOnly, lazy": () => ({ readOnly: true, mode: "lazy" }),
  "isolation: none": () => ({ isolation: "none" }),
  "isolation: none, lazy": () => ({ isolation: "none", mode: "lazy" }),
  "scope": () => ({ scope: "s" }),
  "scope, lazy": () => ({ scope: "s", mode: "lazy" }),
  "scope without isolation": () => ({ scope: "s", isolation: "none" }),
  "lock": () => ({ lock: new LocalLock("first-use") }),
  "lock, lazy": () => ({ lock: new LocalLock("first-use"), mode: "lazy" }),
  "lock without isolation": () => ({ lock: new LocalLock("first-use"), isolation: "none" }),
  "level: weak": () => ({ level: "weak" }),
  "level: linearizable": () => ({ level: "linearizable" }),
  "level: strong": () => ({ level: "strong" }),
  "level: auto": () => ({ level: "auto" }),
  "level: none": () => ({ level: "none" }),
  "integers: bigint": () => ({ integers: "bigint" }),
  "integers: string": () => ({ integers: "string" }),
  "integers: auto, lazy": () => ({ integers: "auto", mode: "lazy" }),
  "rows: array": () => ({ rows: "array" }),
  "rows: array, lazy": () => ({ rows: "array", mode: "lazy" }),
  "timeoutPer: statement": () => ({ timeoutPer: "statement", timeout: 10_000 }),
  "timeoutPer: transaction": () => ({ timeoutPer: "transaction", timeout: 10_000 }),
};

const CONVERT = { number: Number, auto: Number, bigint: BigInt, string: String } as const;

/** The row (i, i) as a transaction of these options answers it. */
function shown(i: number, { integers = "number", rows = "object" }: TransactionOptions): unknown {
  const value = CONVERT[integers](i);
  return rows === "array" ? [[value, value]] : [{ id: value, n: value }];
}

async function useOptions(tx: Transaction, i: number, options: TransactionOptions): Promise<void> {
  const read = async (id: number) =>
    (await tx.query("SELECT id, n FROM a WHERE id = ?", [id])).rows;
  assert.deepEqual(await read(0), shown(0, options));
  if (options.readOnly) return;
  const { rowsAffected } = await tx.execute(INSERT, [i, i]);
  assert.equal(rowsAffected, options.mode === "lazy" ? -1 : 1);
  assert.deepEqual(await read(i), shown(i, options));
}

/** Two transactions at once, of one set of options. */
async function twoAtOnce(db: Client, make: () => TransactionOptions, nested: boolean) {
  const options = make();
  await atOnce(
    2,
    (i) =>
      db.transaction(
        (tx) =>
          nested
            ? tx.transaction((inner) => useOptions(inner, i, options))
            : useOptions(tx, i, options),
        options,
      ),
  );
}

for (const place of PLACES) {
  describe(`the first calls of a client on ${place.name}`, { skip: place.skip }, () => {
    const test = (name: string, body: (fresh: Fresh) => Promise<void>) =>
      it(name, () => place.run(async (world) => await body(await freshOf(world))));

    const stored = async ({ raw }: Fresh): Promise<unknown> => {
      const { results: [result] } = await raw("SELECT id, n FROM a ORDER BY id") as {
        results: { values?: unknown[][] }[];
      };
      return result!.values;
    };

    /** One client of its own on a database without a trace of an earlier one. */
    const alone = async (fresh: Fresh, body: (client: Client) => Promise<void>): Promise<void> => {
      await fresh.raw(...SCHEMA);
      const client = fresh.world.connect({});
      await body(client);
      await client.close();
    };

    for (const [name, entry] of Object.entries(WRITES)) {
      test(`${name}: ${COUNTS.join(", ")} at once store their rows`, async (fresh) => {
        for (const calls of COUNTS) {
          await alone(fresh, (client) => entry(client, calls, fresh));
          assert.deepEqual(await stored(fresh), [0, ...numbers(calls)].map((i) => [i, i]));
        }
      });
    }

    for (const [name, entry] of Object.entries(READS)) {
      test(`${name}: ${COUNTS.join(", ")} at once read what is there`, async (fresh) => {
        for (const calls of COUNTS) await alone(fresh, (client) => entry(client, calls, fresh));
      });
    }

    test("every option of transaction() works in the first two at once, nested or not", async (fresh) => {
      for (const [name, make] of Object.entries(OPTIONS)) {
        for (const nested of [false, true]) {
          const what = `${name}${nested ? ", nested" : ""}`;
          const left = make().readOnly ? [[0, 0]] : [[0, 0], [1, 1], [2, 2]];
          await alone(fresh, (client) =>
            twoAtOnce(client, make, nested).catch((error: Error) => {
              assert.fail(`${what}: ${error.message}`);
            }));
          assert.deepEqual(await stored(fresh), left, what);
        }
      }
    });

    test("two transactions that read all columns of the same table both succeed", (fresh) =>
      alone(fresh, async (client) => {
        const reading = () =>
          client.transaction(async (tx) => (await tx.query<Stored>(READ, [0])).rows[0]!.n);
        assert.deepEqual(await Promise.all([reading(), reading()]), [0, 0]);
      }));

    test("a lazy transaction that changes the schema and reads does not conflict with its own client", async (fresh) => {
      const programs = [
        ["CREATE TABLE b(n)", "INSERT INTO b VALUES(1) RETURNING n", "DELETE FROM b RETURNING n"],
        ["UPDATE a SET n = 0", "CREATE TABLE b(n)", "SELECT n FROM b", "DELETE FROM b RETURNING n"],
        ["CREATE TABLE b(n)", "SELECT name FROM sqlite_schema", "CREATE TABLE c(n)"],
      ];
      for (const statements of programs) {
        await fresh.raw("DROP TABLE IF EXISTS b", "DROP TABLE IF EXISTS c");
        const run = async (tx: Transaction): Promise<void> => {
          for (const sql of statements) await tx.execute(sql);
        };
        await alone(fresh, (client) => client.transaction(run, { mode: "lazy", retries: 0 }));
        assert.deepEqual(await stored(fresh), [[0, 0]]);
      }
    });

    test("a read issued together with a write of its transaction sees the row", (fresh) =>
      alone(fresh, async (client) => {
        const seen = await client.transaction(async (tx) => {
          const [, { rows }] = await Promise.all([
            tx.execute(INSERT, [1, 10]),
            tx.query<Stored>(READ, [1]),
          ]);
          return rows[0]?.n;
        });
        assert.equal(seen, 10);
      }));

    test("ten transactions at once that insert into one table do not conflict", (fresh) =>
      alone(fresh, async (client) => {
        const insert = (tx: Transaction, i: number) =>
          tx.execute("INSERT INTO a(n) VALUES(?)", [i * 100]);
        await atOnce(10, (i) => client.transaction((tx) => insert(tx, i), { retries: 0 }));
        const { rows } = await client.query("SELECT n FROM a WHERE id > 0 ORDER BY n", [], {
          rows: "array",
        });
        assert.deepEqual(rows.flat(), numbers(10).map((i) => i * 100));
      }));

    test("clients of two databases at one address do not share what they know", async (fresh) => {
      await alone(fresh, (client) => client.transaction((tx) => work(tx, 1)));
      await place.run(async (world) => {
        const second = await freshOf(world);
        await second.raw("CREATE TABLE a(n INTEGER, id TEXT PRIMARY KEY)");
        const client = world.connect({});
        await client.transaction(async (tx) => {
          await tx.execute("INSERT INTO a(id, n) VALUES('x', 1)");
          const { rows } = await tx.query("SELECT * FROM a");
          assert.deepEqual(rows, [{ n: 1, id: "x" }]);
        });
        await client.close();
      });
    });
  });
}
