// What people write who come from another library: refused before anything is sent, and told what to write.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hono } from "hono";
import { connect, type Executor, sql, type Transaction, withRetry } from "../../mod.ts";
import { connect as connectDbapi, run } from "../../src/dbapi/mod.ts";
import { type RequestDatabase, rqlite } from "../../src/hono/mod.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";
import { MISTAKES, type Untyped } from "./mistakes.ts";

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
