// Calls that are made at once, or wait for the same answer, share requests; and each ends as it would by itself.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Client,
  DataError,
  IntegrityError,
  InterfaceError,
  OperationalError,
  OutcomeUnknownError,
  type Result,
  RqliteError,
  TimeoutError,
} from "../../mod.ts";
import { Lane, type Waiting } from "../../src/calls/lane.ts";
import { Deadline } from "../../src/time/deadline.ts";
import { countingSignal } from "../support/counting_signal.ts";
import { sleep } from "../support/http.ts";
import { PLACES, type World } from "../transaction/world.ts";

const SCHEMA = [
  "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER CHECK (n < 1000))",
  "CREATE TABLE other(id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE children(id INTEGER PRIMARY KEY, parent REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)",
  "CREATE TABLE reals(v)",
  "INSERT INTO reals VALUES(9e999)",
  ...Array.from({ length: 20 }, (_, i) => `INSERT INTO t VALUES(${i + 1}, 'n${i + 1}', ${i})`),
];

/** Data requests that a client makes, and a way to hold them up. */
class Watched {
  readonly bodies: string[] = [];
  /** Requests with this text wait for {@linkcode open}. */
  held: RegExp | undefined;
  #gate = Promise.withResolvers<void>();
  readonly #node: typeof fetch;

  constructor(node: typeof fetch) {
    this.#node = node;
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const body = init.body ? await new Response(init.body).text() : "";
    this.bodies.push(body);
    if (this.held?.test(body)) await this.#gate.promise;
    return await this.#node(input, init.body ? { ...init, body } : init);
  };

  open(): void {
    this.held = undefined;
    this.#gate.resolve();
    this.#gate = Promise.withResolvers<void>();
  }

  /** Those with this text. */
  with(text: string): string[] {
    return this.bodies.filter((body) => body.includes(text));
  }
}

async function inWorld(
  world: World,
  body: (db: Client, node: Watched) => Promise<void>,
): Promise<void> {
  for (const sql of SCHEMA) await world.sql(sql);
  const node = new Watched(world.node);
  const db = world.connect({ fetch: node.fetch });
  await db.execute("INSERT INTO other DEFAULT VALUES");
  await db.query("SELECT 1");
  node.bodies.length = 0;
  try {
    await body(db, node);
  } finally {
    await db.close();
  }
}

const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** The result, or the error in a form that can be compared. */
async function ended(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RqliteError)) return error;
    const { name, code, message } = error;
    return { name, code, message };
  }
}

for (const place of PLACES) {
  const test = (
    name: string,
    body: (db: Client, node: Watched, world: World) => Promise<void>,
  ): void => {
    it(name, () => place.run((world) => inWorld(world, (db, node) => body(db, node, world))));
  };

  describe(`sharing on ${place.name}`, { skip: place.skip }, () => {
    test("512 reads at once are a few requests, and each has its row", async (db, node) => {
      const reads = count(512).map((i) =>
        db.query("SELECT id, name FROM t WHERE id = ?", [1 + i % 20])
      );
      for (const [i, { rows }] of (await Promise.all(reads)).entries()) {
        assert.deepEqual(rows, [{ id: 1 + i % 20, name: `n${1 + i % 20}` }]);
      }
      assert.ok(node.bodies.length <= 40, String(node.bodies.length));
    });

    test(
      "512 writes at once are a few commits, also the first ones of a client",
      async (_, __, world) => {
        const node = new Watched(world.node);
        const db = world.connect({ fetch: node.fetch });
        const writes = count(512).map((i) =>
          db.execute("INSERT INTO t(id, name, n) VALUES(?, ?, 1)", [100 + i, `w${i}`])
        );
        for (const [i, result] of (await Promise.all(writes)).entries()) {
          assert.deepEqual([result.rowsAffected, result.lastInsertId], [1, 100 + i]);
        }
        assert.ok(node.bodies.length <= 40, String(node.bodies.length));
        assert.equal(await world.value("SELECT count(*) FROM t WHERE name LIKE 'w%'"), 512);
        await db.close();
      },
    );

    test(
      "calls that come while one is under way leave together when it returns",
      async (db, node) => {
        node.held = /FROM reals|INTO reals/;
        const held = [
          db.execute("INSERT INTO reals VALUES(1)"),
          ...count(2).map((i) =>
            db.query(`SELECT ${i}, 1 FROM reals WHERE 0`, [], { coalesce: i > 0 })
          ),
        ];
        await sleep(5);
        const writes = count(10).map((i) => db.execute("UPDATE t SET n = ? WHERE id = ?", [i, i]));
        await sleep(5);
        assert.equal(node.with("UPDATE").length, 0);
        node.open();
        await Promise.all([...held, ...writes]);
        assert.equal(node.with("UPDATE").length, 1);
      },
    );

    test("a request that takes long is not waited for", async (db, node) => {
      node.held = /reals/;
      const held = count(3).map((i) => db.query("SELECT ? FROM reals WHERE 0", [i]));
      await sleep(5);
      const more = count(3).map((i) => db.query("SELECT ?, 2 FROM reals WHERE 0", [i]));
      await sleep(5);
      assert.deepEqual((await db.query("SELECT 7 AS n")).rows, [{ n: 7 }]);
      node.open();
      await Promise.all([...held, ...more]);
    });

    test(
      "`coalesce: false` goes by itself, on the client and for a call",
      async (db, node, world) => {
        const alone = world.connect({ fetch: node.fetch, coalesce: false });
        await alone.query("SELECT 1");
        node.bodies.length = 0;
        await Promise.all(count(4).map((i) => alone.query("SELECT ? AS n", [i])));
        assert.equal(node.bodies.length, 4);
        await Promise.all([
          ...count(3).map((i) => db.query("SELECT ? AS n", [i])),
          db.query("SELECT 9 AS n", [], { coalesce: false }),
          ...count(3).map((i) => alone.query("SELECT ? AS n", [i], { coalesce: true })),
        ]);
        assert.equal(node.bodies.length, 4 + 3);
        await alone.close();
      },
    );

    test("reads of other levels go by themselves", async (db, node) => {
      await Promise.all([
        ...count(3).map((i) => db.query("SELECT ?", [i], { level: "weak" })),
        ...count(3).map((i) => db.query("SELECT ?", [i], { level: "strong" })),
        ...count(3).map((i) => db.query("SELECT ?", [i], { level: "none", freshness: 10_000 })),
      ]);
      assert.equal(node.bodies.length, 3);
    });

    test("the same read is sent once, and each caller has rows of its own", async (db, node) => {
      const sql = "SELECT id, name FROM t WHERE id < ? ORDER BY id";
      const [one, two, three] = await Promise.all([
        db.query(sql, [3]),
        db.query(sql, [3], { integers: "bigint" }),
        db.query<unknown[]>(sql, [3], { rows: "array" }),
      ]);
      assert.equal(node.bodies.length, 1);
      assert.equal(node.bodies[0]!.split("SELECT id").length, 2);
      one.rows[0]!.name = "changed";
      one.rows.pop();
      assert.deepEqual(two.rows, [{ id: 1n, name: "n1" }, { id: 2n, name: "n2" }]);
      assert.deepEqual(three.rows, [[1, "n1"], [2, "n2"]]);
    });

    test("callers of the same read may change what it answered", async (db) => {
      const [one, other] = await Promise.all(
        count(2).map(() => db.query("SELECT id, name FROM t WHERE id = 1")),
      );
      (one!.columns as string[]).push("mine");
      (one!.types as string[]).length = 0;
      assert.deepEqual([other!.columns, other!.types], [["id", "name"], ["integer", "text"]]);
    });

    test("chance is another one for each", async (db) => {
      const read = "SELECT hex(randomblob(16)) AS r";
      const drawn = await Promise.all(count(20).map(() => db.value(read)));
      assert.equal(new Set(drawn).size, 20);
    });

    test("what one read fails with, the others do not see", async (db) => {
      const reads = [
        db.query("SELECT v FROM reals"),
        db.query("SELECT nothing FROM t"),
        db.query("SELECT 9007199254740993 AS big"),
        ...count(10).map((i) => db.query("SELECT ? AS n", [i])),
      ];
      const [infinity, missing, big, ...rest] = await Promise.allSettled(reads);
      assert.ok((infinity as PromiseRejectedResult).reason instanceof DataError);
      assert.ok((missing as PromiseRejectedResult).reason instanceof RqliteError);
      assert.ok((big as PromiseRejectedResult).reason instanceof DataError);
      for (const [i, one] of rest.entries()) {
        assert.deepEqual((one as PromiseFulfilledResult<Result>).value.rows, [{ n: i }]);
      }
    });

    test(
      "an answer that is too long for one is not too long for the others",
      async (_, node, world) => {
        const db = world.connect({ fetch: node.fetch, maxResponseSize: 5_000 });
        const calls = await Promise.allSettled([
          db.query("SELECT hex(zeroblob(4000)) AS long"),
          ...count(5).map((i) => db.query("SELECT ? AS n, hex(zeroblob(600)) AS text", [i])),
        ]);
        assert.deepEqual(calls.map(({ status }) => status), [
          "rejected",
          ...count(5).map(() => "fulfilled"),
        ]);
        assert.equal((calls[0] as PromiseRejectedResult).reason.code, "ERR_TOO_LARGE");
        await db.close();
      },
    );

    test(
      "one that is aborted leaves the queue, or leaves the request to the others",
      async (db, node) => {
        node.held = /UPDATE/;
        const first = db.execute("UPDATE t SET n = 1 WHERE id = 1");
        await sleep(5);
        const [waiting, sent] = [new AbortController(), new AbortController()];
        const left = ended(
          db.execute("UPDATE t SET n = 2 WHERE id = 2", [], { signal: waiting.signal }),
        );
        const reasons = [new Error("left"), new Error("sent")];
        waiting.abort(reasons[0]);
        assert.equal(await left, reasons[0]);
        node.open();
        await first;
        node.held = /UPDATE/;
        const together = [
          ended(db.execute("UPDATE t SET n = 3 WHERE id = 3", [], { signal: sent.signal })),
          ended(db.execute("UPDATE t SET n = 4 WHERE id = 4 RETURNING n", [], { coalesce: false })),
          ended(db.execute("UPDATE t SET n = 5 WHERE id = 5")),
        ];
        await sleep(5);
        sent.abort(reasons[1]);
        assert.equal(await together[0], reasons[1]);
        node.open();
        assert.equal(((await together[2]) as Result).rowsAffected, 1);
        await together[1];
        const { rows } = await db.query("SELECT n FROM t WHERE id IN (1, 2, 5) ORDER BY id");
        assert.deepEqual(rows, [{ n: 1 }, { n: 1 }, { n: 5 }]);
      },
    );

    test("where all are aborted, so is the request", async (db, node) => {
      node.held = /SELECT/;
      const controller = new AbortController();
      const { signal } = controller;
      const reads = count(3).map((i) => ended(db.query("SELECT ?", [i], { signal })));
      await sleep(5);
      const reason = new Error("not needed");
      controller.abort(reason);
      for (const read of reads) assert.equal(await read, reason);
      node.open();
    });

    test("each has its own deadline", async (db, node) => {
      node.held = /FROM t/;
      const [long, short, shorter] = [20_000, 1_200, 50].map((timeout, i) =>
        ended(db.query("SELECT id FROM t WHERE id = ?", [1 + i], { timeout }))
      );
      for (const error of [await shorter, await short]) {
        assert.equal((error as Error).name, TimeoutError.name);
      }
      node.open();
      assert.deepEqual(((await long) as Result).rows, [{ id: 1 }]);
    });

    test("a write with little time does not end those that have more", async (db, node) => {
      node.held = /UPDATE/;
      const [short, long] = [1_050, 20_000].map((timeout) =>
        ended(db.execute("UPDATE t SET n = n + 1 WHERE id = 1", [], { timeout }))
      );
      assert.equal(((await short) as Error).name, OperationalError.name);
      node.open();
      assert.equal(((await long) as Result).rowsAffected, 1);
      assert.equal(await db.value("SELECT n FROM t WHERE id = 1"), 1);
    });

    test("nobody waits beyond their time for what is in front", async (db, node) => {
      node.held = /CREATE/;
      const tables = ["a", "b", "c"].map((name) => ended(db.execute(`CREATE TABLE ${name}(n)`)));
      const late = await ended(db.execute("UPDATE t SET n = 1", [], { timeout: 1_100 }));
      assert.equal((late as Error).name, TimeoutError.name);
      assert.equal(node.with("TABLE c").length, 0);
      await db.close();
      await Promise.all(tables);
      assert.equal(node.with("UPDATE").length, 0);
    });

    test("reads that held up others go by themselves until they are light", async (db, node) => {
      const small = (i: number) => db.query("SELECT ? AS n, 7 AS m", [i]);
      node.held = /FROM reals WHERE/;
      const held = db.query("SELECT v FROM reals WHERE 0");
      await sleep(5);
      await Promise.all([small(0), db.query("SELECT hex(zeroblob(?)) AS long", [40_000])]);
      // By itself each shows that it was not the one.
      await Promise.all(count(5).map(small));
      await Promise.all(
        count(5).map((i) => ended(i < 3 ? small(i) : db.query("SELECT v FROM reals"))),
      );
      node.bodies.length = 0;
      await Promise.all([
        ...count(5).map(small),
        ended(db.query("SELECT v FROM reals")),
        db.query("SELECT hex(zeroblob(?)) AS long", [4]),
      ]);
      assert.equal(node.with("7 AS m").length, 1);
      assert.equal(node.with("zeroblob").length, 1);
      node.open();
      await held;
    });

    test("a write that fails fails alone, with the error of its own", async (db, node, world) => {
      const writes = [
        db.execute("INSERT INTO t VALUES(50, 'a', 1)"),
        db.execute("INSERT INTO t VALUES(51, 'n3', 1)"),
        db.execute("UPDATE t SET n = n + 1 WHERE id = 7"),
        db.execute("INSERT INTO nowhere VALUES(1)"),
        db.execute("UPDATE t SET n = 5000 WHERE id = 8"),
        db.batch(["INSERT INTO t VALUES(52, 'b', 1)", "INSERT INTO t VALUES(52, 'c', 1)"]),
        db.batch(["INSERT INTO t VALUES(53, 'd', 1)", "UPDATE t SET n = 2 WHERE id = 53"]),
      ];
      const ends = await Promise.allSettled(writes);
      assert.deepEqual(
        ends.map((one) => one.status === "fulfilled" ? "done" : one.reason.name),
        [
          "done",
          "IntegrityError",
          "done",
          "ProgrammingError",
          "IntegrityError",
          "IntegrityError",
          "done",
        ],
      );
      const [, unique, , , , batch] = ends as PromiseRejectedResult[];
      assert.match(unique!.reason.message, /t\.name/);
      assert.equal(unique!.reason.statementIndex, undefined);
      assert.equal(batch!.reason.statementIndex, 1);
      assert.ok(node.with("INTO t VALUES(50").length < 6);
      assert.equal(await world.value("SELECT n FROM t WHERE id = 7"), 7);
      assert.equal(await world.value("SELECT group_concat(name) FROM t WHERE id >= 50"), "a,d");
    });

    test("what a write met of another one that failed is not reported", async (db) => {
      // In the group the second meets the first's row, which is undone as the batch of the first fails later.
      const [first, second] = await Promise.allSettled([
        db.batch(["INSERT INTO t VALUES(60, 'same', 1)", "INSERT INTO t VALUES(1, 'x', 1)"]),
        db.execute("INSERT INTO t VALUES(61, 'same', 1)"),
      ]);
      assert.equal(first.status, "rejected");
      assert.equal(second.status, "fulfilled");
    });

    test("writes are applied in their order, also around what goes by itself", async (db) => {
      await Promise.all([
        db.execute("CREATE TABLE fresh(n INTEGER)"),
        db.execute("INSERT INTO fresh VALUES(0)"),
        ...count(30).map((i) => db.execute("UPDATE fresh SET n = n * 2 + ?", [i % 2])),
        db.execute("ALTER TABLE fresh ADD COLUMN m INTEGER"),
        db.execute("UPDATE fresh SET m = n"),
      ]);
      const expected = count(30).reduce((n, i) => n * 2 + i % 2, 0);
      assert.deepEqual((await db.query("SELECT * FROM fresh")).rows, [{
        n: expected,
        m: expected,
      }]);
    });

    test("a deferred constraint is each write's own", async (db) => {
      const orphans = count(3).map((i) => db.execute("INSERT INTO children VALUES(?, 999)", [i]));
      const kept = count(5).map((i) => db.execute("INSERT INTO children VALUES(?, 1)", [10 + i]));
      for (const orphan of await Promise.allSettled(orphans)) {
        assert.ok((orphan as PromiseRejectedResult).reason instanceof IntegrityError);
      }
      for (const { rowsAffected } of await Promise.all(kept)) assert.equal(rowsAffected, 1);
      assert.equal(await db.value("SELECT count(*) FROM children"), 5);
    });

    test(
      "where a COMMIT fails, the others keep their order, and no late copy is applied",
      async (_, __, world) => {
        const { db, network, other } = world;
        const orphan = "INSERT INTO children VALUES(?, 999)";
        const isRefused = { name: IntegrityError.name };
        await db.query("SELECT 1");
        await Promise.all([
          ...count(40).map((i) => db.execute("UPDATE t SET n = n * 2 % 101 + ? WHERE id = 1", [i])),
          assert.rejects(db.execute(orphan, [20]), isRefused),
          ...count(40).map((i) => db.execute("UPDATE t SET n = n * 3 % 101 + ? WHERE id = 1", [i])),
        ]);
        assert.ok(network.copies.length < 40, String(network.copies.length));
        const expected = [2, 3].reduce(
          (n, factor) => count(40).reduce((n, i) => n * factor % 101 + i, n),
          0,
        );
        const read = "SELECT n FROM t WHERE id = 1";
        assert.equal(await world.value(read), expected);
        await assert.rejects(db.execute(orphan, [21]), isRefused);
        await assert.rejects(
          db.transaction(async (tx) => {
            await tx.execute(orphan, [22]);
          }),
          isRefused,
        );
        await other.execute("INSERT INTO t(id) VALUES(999)");
        for (const copy of [...network.copies]) await network.deliver(copy);
        assert.equal(await world.value(read), expected);
        assert.equal(await world.value("SELECT count(*) FROM children"), 0);
      },
    );

    test("what goes behind a commit that fails is applied once", async (db) => {
      const [, { rows }] = await Promise.all([
        ended(db.execute("INSERT INTO children VALUES(30, 999)")),
        db.execute("UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n"),
      ]);
      assert.deepEqual(rows, [{ n: 1 }]);
      assert.equal(await db.value("SELECT n FROM t WHERE id = 1"), 1);
    });

    test("each upsert tells whether it has inserted", async (db) => {
      const upsert = "INSERT INTO t(id, n) VALUES(?, 1) ON CONFLICT(id) DO UPDATE SET n = n + 1";
      const results = await Promise.all([
        db.execute("INSERT INTO other(id) VALUES(70)"),
        db.execute(upsert, [70]),
        db.execute(upsert, [70]),
        db.execute(upsert, [71]),
        db.execute("INSERT OR IGNORE INTO t(id) VALUES(71)"),
        db.execute("DELETE FROM t WHERE id = 71"),
      ]);
      assert.deepEqual(results.map(({ lastInsertId }) => lastInsertId), [
        ...[70, 70, undefined, 71],
        ...[undefined, undefined],
      ]);
      assert.deepEqual(results.map(({ rowsAffected }) => rowsAffected), [1, 1, 1, 1, 0, 1]);
    });

    test("rows of RETURNING are each one's own", async (db) => {
      const writes = count(20).map((i) =>
        db.execute("INSERT INTO t(id, name) VALUES(?, ?) RETURNING id, name", [80 + i, `r${i}`])
      );
      for (const [i, { rows }] of (await Promise.all(writes)).entries()) {
        assert.deepEqual(rows, [{ id: 80 + i, name: `r${i}` }]);
      }
    });

    test("a write whose rows cannot be sent takes those of others once at most", async (db) => {
      const spoil = () => ended(db.execute("INSERT INTO reals VALUES(9e999) RETURNING v"));
      await Promise.all([spoil(), db.execute("UPDATE t SET n = 1 WHERE id = 1")]);
      const [spoilt, kept] = await Promise.all([
        spoil(),
        db.execute("DELETE FROM t WHERE id = 2 RETURNING name"),
      ]);
      assert.equal((spoilt as Error).name, DataError.name);
      assert.deepEqual(kept.rows, [{ name: "n2" }]);
    });

    test("a read behind a write that is done sees it", async (db) => {
      await Promise.all(
        count(20).map(async (i) => {
          for (const n of count(5)) {
            await db.execute("UPDATE t SET n = ? WHERE id = ?", [n, 1 + i]);
            assert.equal(await db.value("SELECT n FROM t WHERE id = ?", [1 + i]), n);
          }
        }),
      );
    });

    test("a closed client ends what waits", async (db, node) => {
      node.held = /UPDATE|SELECT/;
      const read = (i: number) => ended(db.query("SELECT ?", [i]));
      const write = (i: number) => ended(db.execute("UPDATE t SET n = 1 WHERE id = ?", [i]));
      const sent = [...count(5).map(read), ...count(5).map(write)];
      await sleep(5);
      const waiting = count(5).map(write);
      await sleep(5);
      await db.close();
      const names = async (calls: Promise<unknown>[]): Promise<string[]> =>
        (await Promise.all(calls)).map((error) => (error as Error).name);
      const [closed, unknown] = [InterfaceError.name, OutcomeUnknownError.name];
      assert.deepEqual(await names(sent), count(10).map((i) => i < 5 ? closed : unknown));
      assert.deepEqual(await names(waiting), count(5).map(() => closed));
      node.open();
    });

    test("the error of a request is each one's own object", async (_, __, world) => {
      const broken = world.connect({ fetch: () => Promise.reject(new TypeError("x")), retries: 0 });
      const [one, two] = await Promise.allSettled([
        broken.query("SELECT 1"),
        broken.query("SELECT 2"),
      ]);
      const [first, second] = [one, two].map((end) => (end as PromiseRejectedResult).reason);
      assert.ok(first instanceof OperationalError && second instanceof OperationalError);
      assert.notEqual(first, second);
      assert.deepEqual([first.message, first.code], [second.message, second.code]);
    });

    test("a network that loses, delays and doubles applies each once", async (_, __, world) => {
      const { db, network } = world;
      await world.sql("CREATE TABLE hits(label TEXT)");
      const fates = ["pass", "lose answer", "delay", "double"] as const;
      let seed = 7;
      const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
      network.plan = () => fates[next(fates.length)];
      const ends = new Map<string, "done" | "failed" | OutcomeUnknownError>();
      for (const round of count(25)) {
        await Promise.all(
          count(8).map(async (i) => {
            const label = `${round}-${i}`;
            const sql = i === round % 8
              ? "INSERT INTO hits SELECT abs(-9223372036854775808), ?"
              : "INSERT INTO hits VALUES(?)";
            const end = await db.execute(sql, [label]).then(
              () => "done" as const,
              (error) => error,
            );
            const isOpen = end === "done" || end instanceof OutcomeUnknownError;
            ends.set(label, isOpen ? end : "failed");
          }),
        );
        const underWay = network.copies[next(network.copies.length)];
        if (underWay !== undefined) await network.deliver(underWay);
      }
      for (const copy of network.copies) await network.deliver(copy);
      const { rows } = await world.other.query<{ label: string; n: number }>(
        "SELECT label, count(*) AS n FROM hits GROUP BY label",
      );
      const applied = new Map(rows.map(({ label, n }) => [label, n]));
      for (const [label, end] of ends) {
        const kept = end instanceof OutcomeUnknownError
          ? await world.other.outcome(end.id!) === "committed"
          : end === "done";
        assert.equal(applied.get(label) ?? 0, kept ? 1 : 0, `${label} ${end}`);
      }
      assert.ok([...ends.values()].filter((end) => end === "done").length > 50);
    });

    test("1,000 callers with mixed errors", async (db, _, world) => {
      const ends = await Promise.all(
        count(1000).map(async (i) => {
          if (i % 3 === 0) return await ended(db.query("SELECT ? AS n", [i]));
          const name = i % 50 === 1 ? "n1" : `many${i}`;
          return await ended(db.execute("INSERT INTO t(name) VALUES(?)", [name]));
        }),
      );
      for (const [i, end] of ends.entries()) {
        if (i % 3 === 0) assert.deepEqual((end as Result).rows, [{ n: i }]);
        else if (i % 50 === 1) assert.equal((end as Error).name, "IntegrityError");
        else assert.equal((end as Result).rowsAffected, 1);
      }
      const expected = count(1000).filter((i) => i % 3 !== 0 && i % 50 !== 1).length;
      assert.equal(await world.value("SELECT count(*) FROM t WHERE name LIKE 'many%'"), expected);
    });

    test("random programs end as they do one call at a time", async (_, __, world) => {
      await fc.assert(
        fc.asyncProperty(fc.array(wave, { minLength: 1, maxLength: 5 }), async (waves) => {
          const ends: unknown[] = [];
          for (const coalesce of [true, false]) {
            await world.sql("DROP TABLE IF EXISTS p");
            await world.sql("CREATE TABLE p(id INTEGER PRIMARY KEY, v INTEGER CHECK (v < 50))");
            const db = world.connect({ coalesce });
            const found: unknown[] = [];
            for (const calls of waves) {
              if (coalesce) {
                found.push(await Promise.all(calls.map((call, i) => ended(call(db, i)))));
              } else {
                const one: unknown[] = [];
                for (const [i, call] of calls.entries()) one.push(await ended(call(db, i)));
                found.push(one);
              }
            }
            found.push((await db.query("SELECT * FROM p ORDER BY id")).rows);
            ends.push(found);
            await db.close();
          }
          assert.deepEqual(ends[0], ends[1]);
        }),
        { numRuns: 25 },
      );
    });
  });
}

describe("Lane", () => {
  it("lets 65,536 calls wait, and tells the next one that nothing of it was sent", async () => {
    const answered = Promise.withResolvers<void>();
    const sent: number[] = [];
    const lane = new Lane<Waiting, number>(
      { inFlight: 1, patience: 60_000 },
      (waiting) => new Set(waiting),
      async (passengers) => {
        sent.push(passengers.length);
        await answered.promise;
        for (const { resolve } of passengers) resolve(sent.length);
      },
    );
    const deadline = new Deadline(60_000);
    const first = lane.enter({ deadline });
    await sleep(1);
    const waiting = count(65_536).map(() => lane.enter({ deadline }));
    await assert.rejects(lane.enter({ deadline }), (error: OperationalError) => {
      assert.ok(error instanceof OperationalError, String(error));
      assert.match(error.message, /65536 others .* wait.*Nothing was sent/);
      assert.equal(error.retryable, true);
      return true;
    });
    answered.resolve();
    assert.equal(await first, 1);
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([2]));
    assert.deepEqual(sent, [1, 65_536]);
  });

  it("listens once to a signal, and looks at each call a few times, however many wait", async () => {
    const { signal, count: listeners } = countingSignal();
    const deadline = new Deadline(60_000, signal);
    let looks = 0;
    const call = (): Waiting => ({
      get deadline() {
        looks++;
        return deadline;
      },
    });
    const lane = new Lane<Waiting, number>(
      { inFlight: 1, patience: 60_000 },
      (waiting) => {
        const chosen: Waiting[] = [];
        for (const one of waiting) if (chosen.push(one) === 10) break;
        return chosen;
      },
      async (passengers) => {
        await undefined;
        assert.equal(listeners(), 1);
        for (const { resolve } of passengers) resolve(passengers.length);
      },
    );
    const calls = count(2_000).map(() => lane.enter(call()));
    assert.equal(listeners(), 1);
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([10]));
    assert.equal(listeners(), 0);
    assert.ok(looks < 5 * calls.length, String(looks));
  });

  it("ends all that one signal aborts, and those whose time is up, and no others", async () => {
    const controller = new AbortController();
    const answered = Promise.withResolvers<void>();
    const lane = new Lane<Waiting, string>(
      { inFlight: 1, patience: 60_000 },
      (waiting) => new Set(waiting),
      async (passengers) => {
        await answered.promise;
        for (const { resolve } of passengers) resolve("sent");
      },
    );
    const enter = (timeout: number, signal?: AbortSignal) =>
      ended(lane.enter({ deadline: new Deadline(timeout, signal) }));
    const first = enter(60_000);
    await sleep(1);
    const aborted = count(3).map(() => enter(60_000, controller.signal));
    const late = [enter(20), enter(40)];
    const others = [enter(60_000), enter(60_000, new AbortController().signal)];
    const reason = new Error("enough");
    controller.abort(reason);
    assert.deepEqual(await Promise.all(aborted), [reason, reason, reason]);
    for (const error of await Promise.all(late)) {
      assert.equal((error as TimeoutError).name, "TimeoutError");
    }
    answered.resolve();
    assert.deepEqual(await Promise.all([first, ...others]), ["sent", "sent", "sent"]);
  });
});

/** One of several calls at once, which has rows of its own, so that their order does not matter. */
type Call = (db: Client, own: number) => Promise<unknown>;

const value = fc.integer({ min: 0, max: 55 });
const key = fc.integer({ min: 0, max: 3 });

/** The key of a caller's row. */
const at = (own: number, key: number): number => own * 10 + key;

const writes: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(key, value).map(([k, v]): Call => (db, own) =>
    db.execute("INSERT INTO p VALUES(?, ?)", [at(own, k), v])
  ),
  fc.tuple(key, value).map(([k, v]): Call => (db, own) =>
    db.execute("UPDATE p SET v = v + ? WHERE id = ?", [v, at(own, k)])
  ),
  fc.tuple(key, value).map(([k, v]): Call => (db, own) =>
    db.execute(
      "INSERT INTO p VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET v = excluded.v",
      [at(own, k), v],
    )
  ),
  key.map((k): Call => (db, own) =>
    db.execute("DELETE FROM p WHERE id = ? RETURNING id, v", [at(own, k)])
  ),
  fc.tuple(key, value).map(([k, v]): Call => (db, own) =>
    db.batch([
      ["DELETE FROM p WHERE id = ?", at(own, k)],
      ["INSERT INTO p VALUES(?, ?)", at(own, k), v],
      ["INSERT INTO p VALUES(?, ?)", at(own, 9 - k), v],
    ])
  ),
  fc.constant<Call>((db) => db.execute("INSERT INTO missing VALUES(1)")),
  fc.constant<Call>((db) => db.execute("INSERT INTO p VALUES(?)", [1, 2])),
);

const reads: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(key, fc.nat(7)).map(([k, whose]): Call => (db) =>
    db.query("SELECT * FROM p WHERE id = ?", [at(whose, k)])
  ),
  fc.constant<Call>((db) => db.query("SELECT count(*) AS n, sum(v) AS v FROM p")),
  fc.constant<Call>((db) => db.query("SELECT missing FROM p")),
  fc.constant<Call>((db) => db.query("SELECT 9e999 AS v")),
  fc.constant<Call>((db) => db.query("SELECT x'00ff' AS b, 1.0 AS r, 9007199254740993 AS i")),
  value.map((v): Call => (db) => db.first("SELECT id FROM p WHERE v = ? ORDER BY id", [v])),
);

const wave = fc.oneof(
  fc.array(writes, { minLength: 1, maxLength: 8 }),
  fc.array(reads, { minLength: 1, maxLength: 8 }),
);
