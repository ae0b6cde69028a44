// What people write who come from another library: refused before anything is sent, and told what to write.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hono } from "hono";
import { connect, type Executor, sql, type Transaction, withRetry } from "../../mod.ts";
import { connect as connectDbapi, run } from "../../src/dbapi/mod.ts";
import { type RequestDatabase, rqlite } from "../../src/hono/mod.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";

/** What a program without types may do with a database. */
type Untyped = Record<
  "query" | "execute" | "first" | "value" | "batch" | "transaction",
  (...args: unknown[]) => Promise<unknown>
>;

type Mistake = readonly [
  what: string,
  make: (db: Untyped) => Promise<unknown>,
  message: RegExp,
  name?: "ProgrammingError",
];

const INSERT = "INSERT INTO t VALUES(?)";

/** Whoever comes from pg, postgres.js, mysql2, better-sqlite3 or libsql. */
const MISTAKES: readonly Mistake[] = [
  ["batch()", (db) => db.batch(), /Cannot run undefined as a batch: give a list/],
  ["batch(text)", (db) => db.batch("SELECT 1"), /Cannot run a string as a batch: give a list/],
  ["batch(statement)", (db) => db.batch({ sql: INSERT, params: [1] }), /an object as a batch/],
  [
    "batch([sql, value])",
    (db) => db.batch(["SELECT 1", 2]),
    /a number as a statement: .*\[sql, \.\.\./,
  ],
  ["batch([[sql, values]])", (db) => db.batch([[INSERT, [1]]]), /spread it, \[sql, \.\.\.params\]/],
  ["batch([{ sql, args }])", (db) => db.batch([{ sql: INSERT, args: [1] }]), /`args`.* `params`/],
  ["query({ sql, args })", (db) => db.query({ sql: "SELECT 1", args: [] }), /`args`.* `params`/],
  ["execute({ sql, values })", (db) => db.execute({ sql: INSERT, values: [1] }), /`values`.*`par/],
  ["query({ text, values })", (db) => db.query({ text: "SELECT 1" }), /give SQL text, \{ sql, par/],
  ["query()", (db) => db.query(), /Cannot read undefined as a statement: give SQL text/],
  ["query(undefined, params)", (db) => db.query(undefined, [1]), /read undefined as a statement/],
  ["execute(undefined)", (db) => db.execute(undefined), /read undefined as a statement/],
  ["query(promise)", (db) => db.query(Promise.resolve("")), /Cannot read a promise as a statement/],
  ["query`…`", (db) => db.query`SELECT 1`, /template by itself: write query\(sql`…`\)/],
  ["query`…${value}`", (db) => db.query`SELECT ${1}`, /template by itself: write query\(sql`…`\)/],
  [
    "query(sql, ...values)",
    (db) => db.query("SELECT ?, ?", 1, 2),
    /one list, \[a, b\]|a list, \[value\]/,
  ],
  ["query(sql, value)", (db) => db.query("SELECT ?", 1), /a number as params: .*\[value\]/],
  ["query(sql, text)", (db) => db.query("SELECT ?", "a"), /a string as params: .*\[value\]/],
  ["query(sql, null)", (db) => db.query("SELECT ?", null), /null as params: give a list/],
  [
    "query(sql, date)",
    (db) => db.query("SELECT ?", new Date()),
    /type Date as params: give a list/,
  ],
  [
    "query(sql, bytes)",
    (db) => db.query("SELECT ?", new Uint8Array(1)),
    /Uint8Array as params: giv/,
  ],
  ["query(sql, map)", (db) => db.query("SELECT :a", new Map()), /type Map as params: .*of names/],
  [
    "query(sql, set)",
    (db) => db.query("SELECT ?", new Set([1])),
    /type Set as params: give a list/,
  ],
  ["query(sql, callback)", (db) => db.query("SELECT 1", () => {}), /a function as params: give/],
  [
    "a promise as params",
    (db) => db.query("SELECT ?", Promise.resolve([1])),
    /a promise as params/,
  ],
  ["a forgotten await", (db) => db.query("SELECT ?", [Promise.resolve(1)]), /a promise: await it/],
  ["a function", (db) => db.execute(INSERT, [Math.random]), /parameter 1 .* a function: call it/],
  ["undefined", (db) => db.execute(INSERT, [undefined]), /is undefined: bind null for NULL/],
  ["an object", (db) => db.execute(INSERT, [{ a: 1 }]), /is an object: .*JSON\.stringify\(\)/],
  ["a fragment as a value", (db) => db.query("SELECT ?", [sql`1`]), /put fragments together with/],
  ["IN (?)", (db) => db.query("SELECT 1 IN (?)", [[1, 2]]), /use sql\.list\(\) for IN \(…\)/],
  ["IN (${array})", (db) => db.query(sql`SELECT 1 IN (${[1, 2] as never})`), /use sql\.list\(\)/],
  ["a fragment pasted", (db) => db.query(`SELECT ${sql`1`}`), /plain string .*write sql`…`/],
  ["too few values", (db) => db.query("SELECT ?, ?", [1]), /1 value .*2 pl/, "ProgrammingError"],
  ["too many values", (db) => db.query("SELECT ?", [1, 2]), /2 values .*1 pl/, "ProgrammingError"],
  ["LIKE '%?%'", (db) => db.query("SELECT 'a' LIKE '%?%'", ["a"]), /'%' \|\|/, "ProgrammingError"],
  ["$1", (db) => db.query("SELECT $1, $2", [1, 2]), /write \?1 for \$1/, "ProgrammingError"],
  [
    "options in place of params",
    (db) => db.query("SELECT 1", { level: "none" }),
    /options come behind the params/,
    "ProgrammingError",
  ],
  [
    "several statements in one text",
    (db) => db.execute("DELETE FROM t; DELETE FROM u"),
    /one by one, with batch\(\) or with script\(\)/,
    "ProgrammingError",
  ],
  ["transaction()", (db) => db.transaction(), /`fn` as it is undefined: write transaction\(async/],
  [
    'transaction("write")',
    (db) => db.transaction("write"),
    /it is a string: write transaction\(async/,
  ],
  [
    "transaction(promise)",
    (db) => db.transaction(Promise.resolve()),
    /it is a promise: write trans/,
  ],
];

/** A client of nothing, and how often it was used. */
function unconnected() {
  const fetch = scriptedFetch([]);
  return { fetch, db: connect({ fetch: fetch as typeof globalThis.fetch, retries: 0 }) };
}

type Use = (db: Untyped) => Promise<unknown>;

/** Every executor, for as long as it is used. */
const EXECUTORS: Readonly<Record<string, (use: Use) => Promise<number>>> = {
  "the client": async (use) => {
    const { db, fetch } = unconnected();
    await use(untyped(db));
    return fetch.calls.length;
  },
  "a transaction": (use) => inTransaction({}, use),
  "a lazy transaction": (use) => inTransaction({ mode: "lazy" }, use),
  "a read-only transaction": (use) => inTransaction({ readOnly: true }, use),
  "a nested transaction": (use) =>
    inTransaction({}, (tx) => tx.transaction((inner: Transaction) => use(untyped(inner)))),
  "c.var.db of Hono": (use) => inRequest(false, use),
  "c.var.db of Hono with a transaction": (use) => inRequest(true, use),
};

function untyped(db: Executor): Untyped {
  return db as unknown as Untyped;
}

async function inTransaction(
  options: { mode?: "lazy"; readOnly?: true },
  use: Use,
): Promise<number> {
  const { db, fetch } = unconnected();
  const tx = await db.begin(options);
  await use(untyped(tx));
  await tx.rollback();
  return fetch.calls.length;
}

async function inRequest(transaction: boolean, use: Use): Promise<number> {
  const { db, fetch } = unconnected();
  const app = new Hono<{ Variables: { db: RequestDatabase } }>();
  app.use(rqlite(db, { transaction }));
  app.get("/", async (c) => {
    await use(untyped(c.var.db));
    return c.text("used", 400);
  });
  assert.equal(await (await app.request("/")).text(), "used");
  return fetch.calls.length;
}

for (const [where, within] of Object.entries(EXECUTORS)) {
  describe(`a mistake with ${where} is refused before anything is sent:`, () => {
    for (const [what, make, message, name = "TypeError"] of MISTAKES) {
      it(what, async () => {
        const sent = await within(async (db) => {
          await assert.rejects(async () => await make(db), { name, message });
        });
        assert.equal(sent, 0);
      });
    }
  });
}

describe("a mistake with a connection of the DB-API is refused before anything is sent:", () => {
  const cases = MISTAKES.filter(([what]) => !/batch|transaction/.test(what));
  for (const autocommit of [false, true]) {
    for (const [what, make, message, name = "TypeError"] of cases) {
      it(`${what}, ${autocommit ? "with" : "without"} autocommit`, async () => {
        const { fetch } = unconnected();
        const connection = connectDbapi({ fetch: fetch as typeof globalThis.fetch, autocommit });
        const { execute } = untyped(connection as unknown as Executor);
        const bound = execute.bind(connection);
        const call = async () => await make({ query: bound, execute: bound } as Untyped);
        await assert.rejects(call, { name, message });
        assert.deepEqual([fetch.calls.length, connection.inTransaction], [0, false]);
        await connection.close();
      });
    }
  }
});

describe("a mistake with a helper is refused:", () => {
  const lock = new LocalLock();
  const { db } = unconnected();
  const cases: readonly [what: string, make: () => unknown, message: RegExp][] = [
    ["sql() as a function", () => (sql as unknown as Use)("SELECT 1" as never), /write sql`…`/],
    [
      "sql.list(number)",
      () => sql.list(1 as never),
      /Cannot make a list of a number: give an array/,
    ],
    ["sql.list(text)", () => sql.list("ab" as never), /a list of a string: give an array/],
    ["sql.join(fragment)", () => sql.join(sql`1` as never), /of an object: give an array/],
    [
      "withRetry(promise)",
      () => withRetry(Promise.resolve() as never),
      /withRetry\(async \(\) => …/,
    ],
    ["withLock(lock)", () => withLock(lock, undefined as never), /write withLock\(lock, async/],
    [
      "run(connection)",
      () => run(connectDbapi(), undefined as never),
      /write run\(connection, asy/,
    ],
    [
      "iterate(by: number)",
      () => db.iterate("SELECT a", [], { by: 1 as never }),
      /`by` .* text that is not empty/,
    ],
    [
      'iterate(by: "")',
      () => db.iterate("SELECT a", [], { by: "" }),
      /`by` .* text that is not empty/,
    ],
  ];
  for (const [what, make, message] of cases) {
    it(what, async () => {
      await assert.rejects(async () => await make(), { name: "TypeError", message });
    });
  }
});
