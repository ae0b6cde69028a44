// What stands between the calls of a client and the database: what it sees, what it may change, and what it may not.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hono } from "hono";
import { Kysely } from "kysely";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import {
  type Call,
  type CallOutcome,
  type Client,
  connect,
  type Executor,
  IntegrityError,
  type Interceptor,
  InterfaceError,
  OutcomeUnknownError,
  ProgrammingError,
  type Result,
  TimeoutError,
  TransactionConflictError,
} from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { rqlite, type RqliteVariables } from "../../src/hono/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { PLACES, type World } from "../transaction/world.ts";

type Next = (call: Call) => Promise<CallOutcome>;

/** Keeps what passes. */
class Seen {
  readonly calls: Call[] = [];
  readonly outcomes: (CallOutcome | undefined)[] = [];
  readonly errors: unknown[] = [];

  readonly interceptor: Interceptor = (next) => async (call) => {
    const at = this.calls.push(call) - 1;
    this.outcomes.push(undefined);
    try {
      return this.outcomes[at] = await next(call);
    } catch (error) {
      this.errors.push(error);
      throw error;
    }
  };

  /** The operations, in the order in which they were called. */
  get operations(): string[] {
    return this.calls.map(({ operation }) => operation);
  }

  /** The text of every statement. */
  get texts(): string[] {
    return this.calls.flatMap(({ statements }) => statements.map(({ sql }) => sql));
  }

  clear(): void {
    for (const list of [this.calls, this.outcomes, this.errors]) list.length = 0;
  }
}

/** A result of an interceptor's own. */
const made = (rows: unknown[]): Result => ({
  columns: ["n"],
  types: ["integer"],
  rows: rows as Result["rows"],
  rowsAffected: 0,
  lastInsertId: undefined,
});
const answered = (...results: Result[]): CallOutcome => ({
  results,
  requests: 0,
  queued: 0,
  network: 0,
});

/** What people have: defaults of time and chance, a trigger, a view. */
const ORDERS: readonly string[] = [
  `CREATE TABLE orders(id INTEGER PRIMARY KEY, key TEXT DEFAULT (hex(randomblob(8))), name TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP, upper_name TEXT AS (upper(name)) STORED)`,
  "CREATE TABLE changes(name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  `CREATE TRIGGER noted AFTER INSERT ON orders BEGIN
    INSERT INTO changes(name, at) VALUES(new.name, new.created_at); END`,
  "CREATE VIEW latest AS SELECT name, max(created_at) AS at FROM orders GROUP BY name",
];

/** Only for one kind of call; the others pass. */
const on =
  (operation: string, around: (next: Next, call: Call) => unknown): Interceptor =>
  (next) =>
  async (call) =>
    call.operation === operation ? await around(next, call) as CallOutcome : await next(call);

async function withSeen(
  world: World,
  body: (db: Client, seen: Seen) => Promise<void>,
  ...more: Interceptor[]
): Promise<void> {
  await world.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, name TEXT UNIQUE)");
  await world.sql("INSERT INTO t VALUES(1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')");
  const seen = new Seen();
  const db = world.connect({ interceptors: [seen.interceptor, ...more] });
  try {
    await body(db, seen);
  } finally {
    await db.close();
  }
}

for (const place of PLACES) {
  const test = (
    name: string,
    body: (db: Client, seen: Seen, world: World) => Promise<void>,
    ...more: Interceptor[]
  ): void => {
    it(
      name,
      () => place.run((world) => withSeen(world, (db, seen) => body(db, seen, world), ...more)),
    );
  };

  describe(`interceptors on ${place.name}`, { skip: place.skip }, () => {
    test("see each call with its statements and what came of it", async (db, seen) => {
      await db.query("SELECT n FROM t WHERE id = :id", { id: 1 });
      await db.first("SELECT n FROM t WHERE id = ?", [2]);
      await db.value("SELECT 1");
      await db.execute("UPDATE t SET n = n + ? WHERE id = 1", [1]);
      await db.batch([["UPDATE t SET n = ?", 1], "SELECT 2", { sql: "SELECT ?", params: [3] }]);
      await db.script("INSERT INTO t(id) VALUES(7); DELETE FROM t WHERE id = 7");
      await db.insertMany("t", [{ id: 8 }, { id: 9 }]);
      await Array.fromAsync(db.iterate("SELECT id FROM t", [], { pageSize: 3 }));
      await db.ready();
      await db.enqueue(["UPDATE t SET n = ?", 5], { wait: true });
      assert.deepEqual(seen.operations, [
        ...["query", "first", "value", "execute", "batch", "script", "insertMany"],
        ...["iterate", "iterate", "ready", "enqueue"],
      ]);
      const [query, first, value, execute, batch] = seen.calls;
      assert.deepEqual(query!.statements, [{
        sql: "SELECT n FROM t WHERE id = :id",
        params: [{ id: 1 }],
      }]);
      assert.deepEqual(first!.statements[0]!.params, [2]);
      assert.deepEqual(value!.statements, [{ sql: "SELECT 1", params: [] }]);
      assert.deepEqual(execute!.statements[0]!.params, [1]);
      assert.deepEqual(batch!.statements.map(({ params }) => params), [[1], [], [3]]);
      assert.equal("transaction" in query!, false);
      assert.deepEqual(seen.calls[9]!.statements, []);
      assert.equal(query!.nodes.length, 1);
      for (const [i, outcome] of seen.outcomes.entries()) {
        const { requests, queued, network, sent, received, node } = outcome!;
        assert.ok(requests >= 1 && queued >= 0 && network >= 0, String(seen.operations[i]));
        assert.ok(received! > 0 && sent! >= 0);
        assert.equal(node, query!.nodes[0]);
      }
      assert.deepEqual(seen.outcomes[0]!.results[0]!.rows, [{ n: 10 }]);
      assert.equal(seen.outcomes[4]!.results.length, 3);
      assert.deepEqual(seen.outcomes[9]!.results, []);
    });

    test("see an error, and tell their caller what they throw", async (db, seen) => {
      await assert.rejects(db.execute("INSERT INTO t(id) VALUES(1)"), IntegrityError);
      assert.ok(seen.errors[0] instanceof IntegrityError);
      await assert.rejects(db.query("SELECT * FROM nothing"), ProgrammingError);
      assert.equal(seen.errors.length, 2);
    });

    test(
      "are run the outermost first, and each sees what the one inside answered",
      async (_, __, world) => {
        const order: string[] = [];
        const named = (name: string): Interceptor => (next) => async (call) => {
          order.push(`${name} >`);
          const outcome = await next(call);
          order.push(`< ${name} ${outcome.results[0]!.rows.length}`);
          return { ...outcome, results: [made([...outcome.results[0]!.rows, { n: 0 }])] };
        };
        const db = world.connect({ interceptors: [named("a"), named("b")] });
        const { rows } = await db.query("SELECT n FROM t WHERE id = 1");
        assert.deepEqual(order, ["a >", "b >", "< b 1", "< a 2"]);
        assert.equal(rows.length, 3);
        await db.close();
      },
    );

    test(
      "pass on other statements, which are looked at like those of a caller",
      async (db) => {
        const { rows } = await db.query("SELECT n FROM t WHERE id = ?", [1]);
        assert.deepEqual(rows, [{ n: 20 }]);
        const { rowsAffected } = await db.execute("UPDATE t SET n = 5");
        assert.equal(rowsAffected, 1);
        await assert.rejects(db.value("SELECT 'write'"), /Cannot query with DELETE/);
        await assert.rejects(db.value("SELECT 'values'"), ProgrammingError);
        const results = await db.batch(["UPDATE t SET n = 1", "UPDATE t SET n = 2"]);
        assert.equal(results.length, 2);
        await assert.rejects(
          db.first("SELECT 1"),
          /cannot pass on 2 statements for first: it runs one/,
        );
      },
      on(
        "query",
        (next, call) =>
          next({ ...call, statements: [{ sql: call.statements[0]!.sql, params: [2] }] }),
      ),
      on("execute", (next, call) =>
        next({
          ...call,
          statements: [{ sql: `${call.statements[0]!.sql} WHERE id = :id`, params: [{ id: 1 }] }],
        })),
      on("value", (next, call) => {
        const sql = call.statements[0]!.sql.includes("write") ? "DELETE FROM t" : "SELECT ?";
        return next({ ...call, statements: [{ sql, params: [] }] });
      }),
      on("batch", async (next, call) => {
        const more = [...call.statements, { sql: "UPDATE t SET n = 3", params: [] }];
        const outcome = await next({ ...call, statements: more });
        assert.equal(outcome.results.length, 3);
        return { ...outcome, results: outcome.results.slice(0, 2) };
      }),
      on(
        "first",
        (next, call) => next({ ...call, statements: [...call.statements, ...call.statements] }),
      ),
    );

    test(
      "answer a call by themselves, also in a transaction",
      async (db, seen, world) => {
        assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
        const cached = await db.transaction(async (tx) => {
          await tx.execute("UPDATE t SET n = 11 WHERE id = 1");
          return await tx.value("SELECT n FROM t");
        });
        assert.equal(cached, 5);
        assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 11);
        assert.equal(seen.outcomes[0]!.requests, 0);
        await assert.rejects(db.nodes(), /answered nodes by itself/);
      },
      on("query", () => answered(made([{ n: 1 }]))),
      on(
        "value",
        () => answered({ ...made([[5]]) }),
      ),
      on("nodes", () => answered()),
    );

    test(
      "call next again: each is a write of its own, but with an id",
      async (db, seen) => {
        await db.execute("UPDATE t SET n = n + 1 WHERE id = 1");
        assert.equal(await db.value("SELECT n FROM t WHERE id = 1"), 12);
        await db.execute("UPDATE t SET n = n + 1 WHERE id = 1", [], { id: "once" });
        assert.equal(await db.value("SELECT n FROM t WHERE id = 1"), 13);
        assert.equal(seen.outcomes[2]!.results[0]!.rowsAffected, -1);
      },
      on("execute", async (next, call) => {
        await next(call);
        return await next(call);
      }),
    );

    test("see a transaction around its calls", async (db, seen) => {
      const result = await db.transaction(async (tx) => {
        const n = await tx.value<number>("SELECT n FROM t WHERE id = 1");
        await tx.execute("UPDATE t SET n = ? WHERE id = 2", [n! + 1]);
        const point = await tx.savepoint();
        await tx.batch([["UPDATE t SET n = ?", 0]]);
        await tx.rollbackTo(point);
        return await tx.first("SELECT n FROM t WHERE id = 2");
      });
      assert.deepEqual(result, { n: 11 });
      const operations = ["transaction", "value", "execute", "batch", "first", "commit"];
      assert.deepEqual(seen.operations, operations);
      const names = new Set(seen.calls.map(({ transaction }) => transaction));
      assert.equal(names.size, 1);
      assert.equal(typeof [...names][0], "string");
      const [whole, ...calls] = seen.outcomes.map((outcome) => outcome!.requests);
      assert.equal(whole, calls.reduce((sum, n) => sum + n, 0));
      assert.ok(calls.at(-1)! >= 1);
      await db.transaction((tx) => tx.query("SELECT 1"));
      assert.notEqual(seen.calls.at(-1)!.transaction, seen.calls[0]!.transaction);
    });

    test("see a transaction of begin() until it ends", async (db, seen, world) => {
      const tx = await db.begin();
      await tx.execute("UPDATE t SET n = 1 WHERE id = 1");
      assert.deepEqual(seen.outcomes.map((outcome) => outcome !== undefined), [false, true]);
      await tx.commit();
      await settled();
      assert.deepEqual(seen.operations, ["transaction", "execute", "commit"]);
      assert.ok(seen.outcomes[0]!.requests >= 2);
      assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 1);

      seen.clear();
      const other = await db.begin();
      await other.query("SELECT n FROM t");
      await other.rollback();
      await settled();
      assert.deepEqual(seen.operations, ["transaction", "query"]);
      assert.notEqual(seen.outcomes[0], undefined);

      seen.clear();
      const controller = new AbortController();
      const late = await db.begin({ signal: controller.signal });
      await late.query("SELECT n FROM t");
      const why = new Error("enough");
      controller.abort(why);
      await settled();
      assert.deepEqual(seen.errors, [why]);
      assert.equal(late.state, "rolledback");
    });

    test("see each run of a transaction that conflicts", async (db, seen, world) => {
      let runs = 0;
      await db.transaction(async (tx) => {
        const n = await tx.value<number>("SELECT n FROM t WHERE id = 1");
        if (runs++ === 0) await world.sql("UPDATE t SET n = 100 WHERE id = 1");
        await tx.execute("UPDATE t SET n = ? WHERE id = 1", [n! + 1]);
      });
      assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 101);
      assert.equal(seen.operations.filter((operation) => operation === "value").length, 2);
      assert.ok(seen.errors.length >= 1);
      assert.ok(seen.errors.every((error) => error instanceof TransactionConflictError));
      assert.equal(new Set(seen.calls.map(({ transaction }) => transaction)).size, 1);
    });

    test(
      "keep the order of a transaction's statements, however long each takes",
      async (db, _, world) => {
        await db.transaction(async (tx) => {
          const both = [
            tx.execute("UPDATE t SET n = 1 WHERE id = 1"),
            tx.execute("UPDATE t SET n = n * 2 WHERE id = 1"),
          ];
          // Nobody waits for it, and the commit does.
          void tx.execute("UPDATE t SET n = n + 5 WHERE id = 1");
          await Promise.all(both);
        });
        assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 7);
      },
      on("execute", async (next, call) => {
        const { sql } = call.statements[0]!;
        await sleep(sql.includes("n = 1") ? 30 : sql.includes("n * 2") ? 15 : 0);
        return await next(call);
      }),
    );

    test("make a commit fail by an error that nobody waited for", async (db, _, world) => {
      const failing = db.transaction(async (tx) => {
        void tx.execute("UPDATE t SET n = 0");
        await tx.query("SELECT 1");
      });
      await assert.rejects(failing, /not today/);
      assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 10);
      await db.transaction(async (tx) => {
        await tx.execute("UPDATE t SET n = 0").catch(() => {});
      });
    }, on("execute", () => Promise.reject(new Error("not today"))));

    test(
      "end a transaction by what they throw in place of its commit",
      async (db, seen, world) => {
        const write = (tx: { execute(sql: string): Promise<unknown> }) =>
          tx.execute("UPDATE t SET n = 0");
        await assert.rejects(db.transaction(write), /no commits/);
        const tx = await db.begin();
        await write(tx);
        await assert.rejects(tx.commit(), /no commits/);
        assert.equal(tx.state, "rolledback");
        await settled();
        assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 10);
        assert.equal(seen.errors.length, 4);
      },
      on("commit", () => {
        throw new Error("no commits");
      }),
    );

    test(
      "cannot leave out a commit, or make a refused one pass",
      async (db, _, world) => {
        const read = async (tx: Client | Parameters<Parameters<Client["transaction"]>[0]>[0]) => {
          await tx.query("SELECT n FROM t");
          await world.sql("UPDATE t SET n = n + 1");
          await tx.execute("UPDATE t SET n = 0");
        };
        await assert.rejects(db.transaction(read), /answered commit by itself/);
        assert.equal(await world.value("SELECT n FROM t WHERE id = 1"), 11);
      },
      on("commit", async (next, call) => {
        await next(call).catch(() => {});
        return answered();
      }),
    );

    test("see the calls of a session, which goes on behind them", async (db, seen) => {
      const session = db.session();
      await session.execute("UPDATE t SET n = 12 WHERE id = 1");
      assert.equal(await session.value("SELECT n FROM t WHERE id = 1"), 12);
      await session.transaction((tx) => tx.execute("UPDATE t SET n = 13 WHERE id = 1"));
      assert.equal(await session.value("SELECT n FROM t WHERE id = 1"), 13);
      const operations = ["execute", "value", "transaction", "execute", "commit", "value"];
      assert.deepEqual(seen.operations, operations);
      assert.notEqual(session.bookmark, "");
    });

    test("count a request that calls share for each of them", async (db, seen) => {
      await db.query("SELECT 1");
      seen.clear();
      await Promise.all([1, 2, 3].map((id) => db.query("SELECT n FROM t WHERE id = ?", [id])));
      assert.deepEqual(seen.outcomes.map((outcome) => outcome!.requests), [1, 1, 1]);
      assert.equal(new Set(seen.outcomes.map((outcome) => outcome!.received)).size, 1);
    });

    test("count what is sent from the first call on, also ten at once", async (_, seen, world) => {
      for (const sql of ORDERS) await world.sql(sql);
      let sent = 0;
      const counting: typeof fetch = (input, init) => {
        sent++;
        return world.node(input, init);
      };
      const fresh = () => world.connect({ fetch: counting, interceptors: [seen.interceptor] });
      const add = (db: Executor, name: string) =>
        db.execute("INSERT INTO orders(name) VALUES(?) RETURNING *", [name]);
      const calls: readonly ((db: Client) => Promise<unknown>)[] = [
        (db) => add(db, "a"),
        (db) => db.query("SELECT * FROM latest"),
        (db) => db.batch([["INSERT INTO orders(name) VALUES(?)", "b"], "SELECT 1"]),
        (db) => db.insertMany("orders", [{ name: "c" }, { name: "d" }]),
        (db) =>
          db.transaction(async (tx) => {
            await tx.query("SELECT * FROM latest");
            await Promise.all([add(tx, "e"), add(tx, "f")]);
          }),
        (db) => db.transaction((tx) => tx.query("SELECT * FROM latest"), { readOnly: true }),
        (db) => db.nodes(),
      ];
      const known = fresh();
      const ways = calls.flatMap((call) => [fresh(), known].map((db) => ({ call, db })));
      for (const { call, db } of ways) {
        seen.clear();
        sent = 0;
        await call(db);
        assert.equal(seen.outcomes[0]!.requests, sent, String(call));
        if (db !== known) await db.close();
      }
      await known.close();

      seen.clear();
      sent = 0;
      const db = fresh();
      await Promise.all(Array.from({ length: 10 }, (_, i) => add(db, `g${i}`)));
      const counts = seen.outcomes.map((outcome) => outcome!.requests);
      assert.equal(counts.length, 10);
      assert.ok(Math.min(...counts) >= 1 && Math.max(...counts) <= sent, `${counts} of ${sent}`);
      assert.ok(counts.reduce((sum, count) => sum + count, 0) >= sent, `${counts} of ${sent}`);
      await db.close();
    });

    test("leave sharing as it is", async (_, __, world) => {
      let bodies = 0;
      const counting: typeof fetch = (input, init) => {
        bodies++;
        return world.node(input, init);
      };
      const db = world.connect({ fetch: counting, interceptors: [new Seen().interceptor] });
      await db.execute("UPDATE t SET n = 0 WHERE id = 1");
      bodies = 0;
      await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) =>
            i % 2 === 0
              ? db.query("SELECT n FROM t WHERE id = ?", [i])
              : db.execute("UPDATE t SET n = n + 1 WHERE id = ?", [i]),
        ),
      );
      assert.ok(bodies <= 4, String(bodies));
      bodies = 0;
      await db.transaction((tx) =>
        Promise.all([1, 2, 3].map((id) => tx.query("SELECT n FROM t WHERE id = ?", [id])))
      );
      assert.ok(bodies <= 3, String(bodies));
      await db.close();
    });
  });
}

/** Everything that is under way in this process has gone on. */
const settled = (): Promise<void> => sleep(0);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A client of an engine with one table. */
async function open(...interceptors: Interceptor[]): Promise<Client> {
  const db = connect({ ...embedded(), interceptors });
  await db.script("CREATE TABLE t(id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES(1, 10)");
  return db;
}

describe("interceptors", () => {
  it("are a list of functions", () => {
    for (const wrong of [{}, "a", [1], () => {}, [() => {}, null]]) {
      assert.throws(
        () => connect({ interceptors: wrong as unknown as Interceptor[] }),
        /`interceptors` as it must be a list of functions/,
      );
    }
  });

  const wrong: Readonly<Record<string, readonly [Interceptor, RegExp]>> = {
    "no function": [
      (() => undefined) as unknown as Interceptor,
      /answers undefined: write \(next\)/,
    ],
    "no outcome": [() => (() => Promise.resolve(undefined)) as never, /what is no outcome/],
    "no promise but a number": [() => (() => 5) as never, /what is no outcome/],
    "results of no form": [
      () => () => Promise.resolve(answered("a" as never)),
      /what is no outcome/,
    ],
    "too few results": [
      () => (call) => Promise.resolve(call.operation === "query" ? answered() : answered(made([]))),
      /with 0 results as one result had to come back/,
    ],
    "no call passed on": [(next) => () => next(undefined as never), /cannot pass on undefined/],
    "another operation": [
      (next) => (call) => next({ ...call, operation: "execute" }),
      /cannot change `operation`/,
    ],
    "an option": [
      (next) => (call) => next({ ...call, timeout: 5 } as Call),
      /`timeout` as there is no such member of a call/,
    ],
    "a part of a call": [
      (next) => ({ statements, nodes }) => next({ statements, nodes } as unknown as Call),
      /one without `operation`/,
    ],
    "statements of another form": [
      (next) => (call) => next({ ...call, statements: ["SELECT 1"] as never }),
      /no list of \{ sql, params \}/,
    ],
  };
  for (const [what, [interceptor, message]] of Object.entries(wrong)) {
    it(`are refused with ${what}`, async () => {
      const db = connect({ ...embedded(), interceptors: [interceptor] });
      await assert.rejects(
        db.query("SELECT 1"),
        (error) => error instanceof InterfaceError && message.test(error.message),
      );
      await db.close();
    });
  }

  it("cannot change a call in place", async () => {
    const changing: Interceptor = (next) => (call) => {
      (call.statements as unknown[]).length = 0;
      return next(call);
    };
    const db = connect({ ...embedded(), interceptors: [changing] });
    await assert.rejects(db.query("SELECT 1"), TypeError);
    await db.close();
  });

  it("may throw at once", async () => {
    const thrown = new RangeError("mine");
    const db = connect({
      ...embedded(),
      interceptors: [() => {
        throw thrown;
      }],
    });
    for (
      const call of [
        () => db.query("SELECT 1"),
        () => db.execute("CREATE TABLE a(b)"),
        () => db.nodes(),
        () => db.transaction(() => Promise.resolve()),
        () => db.begin(),
        () => db.outcome("a"),
        () => db.enqueue("DELETE FROM t"),
        () => Array.fromAsync(db.iterate("SELECT * FROM t")),
      ]
    ) {
      await assert.rejects(call, (error) => error === thrown);
    }
    await db.close();
  });

  it("hold nobody longer than the signal and the timeout of the call", async () => {
    const hanging: Interceptor = () => () => new Promise(() => {});
    const db = connect({ ...embedded(), interceptors: [hanging] });
    const controller = new AbortController();
    const why = new Error("enough");
    const call = db.query("SELECT 1", [], { signal: controller.signal });
    controller.abort(why);
    await assert.rejects(call, (error) => error === why);
    await assert.rejects(
      db.query("SELECT 1", [], { timeout: 5 }),
      (error) => error instanceof TimeoutError && /in an interceptor/.test(error.message),
    );
    await db.close();
  });

  it("hold nobody longer where the call has ended by its timeout", async () => {
    const engine = embedded();
    const fetch: typeof globalThis.fetch = () => new Promise(() => {});
    const hanging: Interceptor = (next) => async (call) => {
      await next(call).catch(() => {});
      return await new Promise(() => {});
    };
    const db = connect({ ...engine, fetch, interceptors: [hanging] });
    const write = db.execute("CREATE TABLE a(n)", [], { timeout: 300, exactlyOnce: false });
    await assert.rejects(write, OutcomeUnknownError);
    await db.close();
    await engine.close();
  });

  it("do not hide what became of a write that they keep until its timeout", async () => {
    const db = await open(on("execute", async (next, call) => {
      await next(call).catch(() => {});
      return await new Promise(() => {});
    }));
    const options = { timeout: 300 };
    await assert.rejects(db.execute("UPDATE missing SET n = 1", [], options), ProgrammingError);
    await assert.rejects(
      db.execute("UPDATE t SET n = n + 1", [], options),
      (error) => error instanceof OutcomeUnknownError && !error.retryable,
    );
    assert.equal(await db.value("SELECT n FROM t"), 11);
    await db.close();
  });

  it("hold no transaction longer than it has, and do not hide that it was committed", async () => {
    const never = new Promise<CallOutcome>(() => {});
    const add = (tx: Executor) => tx.execute("UPDATE t SET n = n + 1");
    for (const operation of ["transaction", "commit"]) {
      const held = await open(on(operation, () => never));
      await assert.rejects(held.transaction(add, { timeout: 50 }), TimeoutError);
      assert.equal(await held.value("SELECT n FROM t"), 10);
      await held.close();

      const ending = new AbortController();
      const behind = async (next: Next, call: Call) => {
        await next(call);
        ending.abort();
        return await never;
      };
      const db = await open(on(operation, behind));
      assert.equal((await db.transaction(add, { signal: ending.signal })).rowsAffected, 1);
      assert.equal(await db.value("SELECT n FROM t"), 11);
      await db.close();
    }
    const why = new Error("enough");
    const controller = new AbortController();
    const db = await open(on("transaction", () => never));
    const begun = db.begin({ signal: controller.signal });
    controller.abort(why);
    await assert.rejects(begun, (error) => error === why);
    await db.close();
  });

  it("pass on the signal of the call, and may end it by another", async () => {
    const controller = new AbortController();
    const given: (AbortSignal | undefined)[] = [];
    const why = new Error("mine");
    const db = await open(on("query", (next, call) => {
      given.push(call.signal);
      return next({ ...call, signal: AbortSignal.abort(why) });
    }));
    const call = db.query("SELECT 1", [], { signal: controller.signal });
    await assert.rejects(call, (error) => error === why);
    assert.equal(given[0], controller.signal);
    await db.close();
  });

  it("may retry until it works", async () => {
    let failures = 2;
    const engine = embedded();
    const fetch: typeof globalThis.fetch = (input, init) => {
      if (failures-- > 0) return Promise.reject(new TypeError("fetch failed"));
      return engine.fetch(input, init);
    };
    const retrying: Interceptor = (next) => async (call) => {
      for (let left = 2;; left--) {
        try {
          return await next(call);
        } catch (error) {
          if (left === 0) throw error;
        }
      }
    };
    const seen = new Seen();
    const interceptors = [retrying, seen.interceptor];
    const db = connect({ fetch, close: () => engine.close(), retries: 0, interceptors });
    assert.equal(await db.value("SELECT 7"), 7);
    assert.deepEqual(seen.operations, ["value", "value", "value"]);
    assert.deepEqual(seen.outcomes.map((outcome) => outcome?.requests), [undefined, undefined, 1]);
    await db.close();
  });

  it("run a transaction again by another next", async () => {
    let begun = 0;
    const db = await open(on("transaction", async (next, call) => {
      await next(call);
      return await next(call);
    }));
    const last = await db.transaction(async (tx) => {
      await tx.execute("UPDATE t SET n = n + 1");
      return ++begun;
    });
    assert.equal(last, 2);
    assert.equal(await db.value("SELECT n FROM t"), 12);
    const tx = await db.begin();
    await tx.execute("UPDATE t SET n = n + 1");
    await tx.commit();
    assert.equal(await db.value("SELECT n FROM t"), 13);
    await db.close();
  });

  it("leave no transaction of begin() behind that its caller is not given", async () => {
    const lock = new LocalLock("begin");
    const why = new Error("given up");
    const hasty = await open(
      on("transaction", (next, call) => Promise.race([next(call), Promise.reject(why)])),
    );
    const held = await lock.acquire();
    await assert.rejects(hasty.begin({ lock }), (error) => error === why);
    await held.release();
    await (await lock.acquire({ timeout: 5_000 })).release();
    await hasty.close();

    let refused: unknown;
    const twice = await open(on("transaction", async (next, call) => {
      const [first, second] = await Promise.allSettled([next(call), next(call)]);
      refused = (second as PromiseRejectedResult).reason;
      return (first as PromiseFulfilledResult<CallOutcome>).value;
    }));
    await (await twice.begin({ lock })).commit();
    assert.ok(refused instanceof InterfaceError);
    await (await lock.acquire({ timeout: 5_000 })).release();
    await twice.close();
  });

  it("may pass on a statement of a transaction twice at once, behind others", async () => {
    const db = await open(on("execute", async (next, call) => {
      if (!call.statements[0]!.sql.includes("n * 2")) {
        await settled();
        return await next(call);
      }
      const [first] = await Promise.all([next(call), next(call)]);
      return first;
    }));
    const n = await db.transaction(async (tx) => {
      const first = tx.execute("UPDATE t SET n = 1");
      await Promise.all([first, tx.execute("UPDATE t SET n = n * 2")]);
      return await tx.value("SELECT n FROM t");
    }, { timeout: 5_000 });
    assert.equal(n, 4);
    await db.close();
  });

  it("may repeat whatever fails, and a transaction that conflicts still runs again", async () => {
    const engine = embedded();
    const other = connect(engine);
    await other.script("CREATE TABLE t(n); INSERT INTO t VALUES(10)");
    const told: unknown[] = [];
    const repeating: Interceptor = (next) => (call) =>
      next(call).catch((error: unknown) => {
        told.push(error);
        return next(call);
      }).catch((error: unknown) => {
        told.push(error);
        throw error;
      });
    const db = connect({ fetch: engine.fetch, interceptors: [repeating] });
    let runs = 0;
    await db.transaction(async (tx) => {
      const n = await tx.value<number>("SELECT n FROM t");
      if (runs++ === 0) await other.execute("UPDATE t SET n = 100");
      await tx.execute("UPDATE t SET n = ?", [n! + 1]);
    });
    assert.equal(await db.value("SELECT n FROM t"), 101);
    assert.equal(told.length, 2);
    assert.ok(told[0] instanceof TransactionConflictError);
    assert.equal(told[0], told[1]);
    await db.close();
    await other.close();
  });

  it("hold no statement of a transaction longer than its own timeout, and send it no more", async () => {
    let goOn = () => {};
    const held = new Promise<void>((resolve) => goOn = resolve);
    const db = await open(on("execute", async (next, call) => {
      await held;
      return await next(call);
    }));
    await db.transaction(async (tx) => {
      await assert.rejects(tx.execute("UPDATE t SET n = 0", [], { timeout: 5 }), TimeoutError);
      goOn();
      await settled();
      assert.equal(await tx.value("SELECT n FROM t"), 10);
    }, { timeout: 5_000 });
    assert.equal(await db.value("SELECT n FROM t"), 10);
    await db.close();
  });

  it("hold no statement longer than its own limits behind another that they hold", async () => {
    let goOn = () => {};
    const held = new Promise<void>((resolve) => goOn = resolve);
    const db = await open(on("execute", async (next, call) => {
      if (call.statements[0]!.sql.includes("+ 1")) await held;
      return await next(call);
    }));
    const why = new Error("enough");
    const controller = new AbortController();
    await db.transaction(async (tx) => {
      const first = tx.execute("UPDATE t SET n = n + 1");
      const late = tx.execute("UPDATE t SET n = 0", [], { timeout: 5 });
      await assert.rejects(late, TimeoutError);
      const aborted = tx.execute("UPDATE t SET n = 0", [], { signal: controller.signal });
      const last = tx.execute("UPDATE t SET n = n * 2");
      controller.abort(why);
      await assert.rejects(aborted, (error) => error === why);
      goOn();
      await Promise.all([first, last]);
    }, { timeout: 10_000 });
    assert.equal(await db.value("SELECT n FROM t"), 22);
    await db.close();
  });

  it("see values that are bytes, dates and integers as they were given", async () => {
    const seen = new Seen();
    const db = await open(seen.interceptor);
    seen.clear();
    const values = [new Uint8Array([1, 2]), 5n, null, "x'41'", true];
    await db.query("SELECT ?, ?, ?, ?, ?", values);
    await db.insertMany("t", [[2, "b"], [3, "c"]], { columns: ["id", "n"] });
    assert.deepEqual(seen.calls[0]!.statements[0]!.params, values);
    assert.deepEqual(seen.calls[1]!.statements[0]!.params, [2, "b", 3, "c"]);
    await db.close();
  });

  it("are told in which form rows have to come back, and may give none of another", async () => {
    const kept = new Map<string, CallOutcome>();
    let forms: unknown[] = [];
    let rows: unknown[] | undefined;
    const db = await open((next) => async (call) => {
      if (call.statements.length === 0) {
        assert.ok(!("rows" in call));
        return await next(call);
      }
      forms.push(`${call.rows} ${call.integers}`);
      if (rows !== undefined) return answered(made(rows));
      const key = `${forms.at(-1)} ${JSON.stringify(call.statements)}`;
      const outcome = kept.get(key) ?? await next(call);
      kept.set(key, outcome);
      return outcome;
    });
    forms = [];
    const sql = "SELECT n FROM t";
    const bigint = { rows: "array", integers: "bigint" } as const;
    for (let i = 0; i < 2; i++) {
      assert.deepEqual((await db.query(sql)).rows, [{ n: 10 }]);
      assert.deepEqual((await db.query(sql, [], bigint)).rows, [[10n]]);
      assert.equal(await db.value(sql), 10);
      assert.deepEqual((await db.batch([sql], bigint))[0]!.rows, [[10n]]);
      assert.deepEqual(await Array.fromAsync(db.iterate(sql)), [{ n: 10 }]);
      assert.equal(await db.transaction((tx) => tx.value(sql)), 10);
    }
    const asked = ["object number", "array bigint", "array number", "array bigint"];
    assert.deepEqual(forms.slice(0, 4), asked);
    assert.deepEqual([...new Set(forms.slice(4, 6))], ["array number"]);
    const other = { name: "InterfaceError", message: /rows of the other form: give (arr|obj)/ };
    rows = [[10]];
    await assert.rejects(db.query(sql), other);
    rows = [{ n: 10 }];
    await assert.rejects(db.value(sql), other);
    await assert.rejects(Array.fromAsync(db.iterate(sql)), other);
    await assert.rejects(db.transaction((tx) => tx.value(sql)), other);
    await db.close();
  });

  it("see the calls of a DB-API connection, of Hono's c.var.db and of Kysely", async () => {
    const seen = new Seen();
    const db = await open(seen.interceptor);
    seen.clear();
    const app = new Hono<{ Variables: RqliteVariables }>();
    app.use("/tx", rqlite(db, { transaction: true }));
    app.use("/plain", rqlite(db));
    app.get("/*", async (c) => c.json(await c.var.db.first("SELECT n FROM t")));
    assert.equal((await app.request("/plain")).status, 200);
    assert.equal((await app.request("/tx")).status, 200);
    await settled();
    assert.deepEqual(seen.operations, ["first", "transaction", "first", "commit"]);

    seen.clear();
    const kysely = new Kysely<{ t: { id: number; n: number } }>({
      dialect: new RqliteDialect({ client: db }),
    });
    await kysely.selectFrom("t").selectAll().execute();
    await kysely.transaction().execute((trx) => trx.updateTable("t").set({ n: 1 }).execute());
    await settled();
    assert.deepEqual(seen.operations, ["execute", "transaction", "execute", "commit"]);
    assert.equal(seen.texts[0], 'select * from "t"');
    await db.close();

    seen.clear();
    const connection = connectDbapi({ ...embedded(), interceptors: [seen.interceptor] });
    await connection.execute("CREATE TABLE a(b)");
    await connection.commit();
    await settled();
    assert.deepEqual(seen.operations, ["transaction", "execute", "commit"]);
    await connection.close();
  });
});
