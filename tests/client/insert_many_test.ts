// What insertMany() takes, how far it reads ahead, and how it ends: iterators, signals and errors are the engine's.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  DatabaseError,
  InterfaceError,
  OutcomeUnknownError,
  type Params,
  ProgrammingError,
  sql,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

const INSERTED = /INTO \\"t\\"/;

/** What is seen of the requests that insert, and how long they are held. */
class Watched {
  /** Their bodies. */
  readonly bodies: string[] = [];
  /** Called before each of them; it may keep it from arriving. */
  before: (signal: AbortSignal | null | undefined) => Promise<void> | void = () => {};
  readonly engine = embedded();

  readonly fetch = (async (input: string | URL | Request, init: RequestInit = {}) => {
    const body = init.body ? await new Response(init.body).text() : "";
    if (INSERTED.test(body)) {
      this.bodies.push(body);
      await this.before(init.signal);
    }
    return await this.engine.fetch(input, body === "" ? init : { ...init, body });
  }) as typeof fetch;
}

/** Rows of which is seen how many were taken, and whether the reader has ended them. */
class Source {
  taken = 0;
  ended = 0;
  readonly #count: number;
  readonly #rowOf: (i: number) => Params;

  constructor(count: number, rowOf: (i: number) => Params = (n) => ({ n })) {
    this.#count = count;
    this.#rowOf = rowOf;
  }

  *now(): Generator<Params, void, void> {
    try {
      while (this.taken < this.#count) yield this.#rowOf(this.taken++);
    } finally {
      this.ended++;
    }
  }

  async *later(): AsyncGenerator<Params, void, void> {
    try {
      while (this.taken < this.#count) yield await Promise.resolve(this.#rowOf(this.taken++));
    } finally {
      this.ended++;
    }
  }
}

/** Never answers, until it is given up. */
function stuck(signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((_, reject) => {
    signal!.addEventListener("abort", () => reject(signal!.reason));
  });
}

describe("insertMany()", () => {
  let node: Watched;
  let db: Client;

  beforeEach(async () => {
    node = new Watched();
    db = connect("http://embedded:4001", { fetch: node.fetch, retries: 0 });
    await db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, b TEXT)");
  });

  afterEach(async () => {
    await db.close();
    node.engine.close();
  });

  const stored = async (): Promise<unknown[]> =>
    (await db.query("SELECT * FROM t ORDER BY n", [], { rows: "array" })).rows;
  const count = (): Promise<number | undefined> => db.value<number>("SELECT count(*) FROM t");
  const failure = async (inserting: Promise<unknown>): Promise<unknown> =>
    await inserting.then(() => assert.fail("It succeeded"), (error: unknown) => error);

  it("takes objects, lists, and the columns that they are for", async () => {
    interface Row {
      readonly n: number;
      readonly b: string | null;
    }
    const rows: Row[] = [{ n: 1, b: "x" }, { b: null, n: 2 }];
    assert.deepEqual(await db.insertMany("t", rows), { rowsAffected: 2 });
    await db.insertMany("t", [[3, "three"], [4, "four"]]);
    await db.insertMany("t", [["five", 5]], { columns: ["b", "n"] });
    await db.insertMany("t", [{ n: 6, b: "six" }], { columns: ["b", "n"] });
    await db.insertMany("T", [{ N: 7 }]);
    const wanted = [[1, "x"], [2, null], [3, "three"], [4, "four"], [5, "five"], [6, "six"]];
    assert.deepEqual(await stored(), [...wanted, [7, null]]);
  });

  it("takes any iterable, and one that uses its row and its bytes again", async () => {
    function* reused(): Generator<[number, Uint8Array]> {
      const row: [number, Uint8Array] = [10, new Uint8Array(1)];
      for (; row[0] < 13; row[0]++, row[1][0]!++) yield row;
    }
    const stream = new ReadableStream<Params>({
      start(controller) {
        controller.enqueue([20, "a"]);
        controller.enqueue([21, "b"]);
        controller.close();
      },
    });
    await db.insertMany("t", new Set([[1, "a"], [2, "b"]]));
    await db.insertMany("t", new Map([[3, "a"], [4, "b"]]));
    await db.insertMany("t", reused());
    await db.insertMany("t", stream as unknown as AsyncIterable<Params>);
    await db.insertMany(
      "t",
      db.iterate("SELECT n + 100 AS n, hex(b) AS b FROM t", [], { by: "n" }),
    );
    assert.deepEqual(
      await db.query("SELECT n, b FROM t WHERE n > 105", [], { rows: "array" }).then((r) => r.rows),
      [[110, "00"], [111, "01"], [112, "02"], [120, "61"], [121, "62"]],
    );
    assert.equal(await count(), 18);
  });

  it("sends nothing for no rows", async () => {
    for (const rows of [[], new Set<Params>(), new Source(0).now(), new Source(0).later()]) {
      assert.deepEqual(await db.insertMany("nowhere", rows), { rowsAffected: 0 });
    }
    assert.equal(node.bodies.length, 0);
  });

  it("asks for no row that the next request does not take, and tells each that was answered", async () => {
    for (const way of ["now", "later"] as const) {
      await db.execute("DELETE FROM t");
      const source = new Source(25_000);
      const seen: number[][] = [];
      node.before = () => void seen.push([source.taken]);
      const onProgress = (rows: number) => void seen.push([rows, source.taken]);
      const result = await db.insertMany("t", source[way](), { onProgress });
      assert.deepEqual(result, { rowsAffected: 25_000 });
      const [one, two, three] = [10_000, 20_000, 25_000];
      assert.deepEqual(seen, [[one], [one, one], [two], [two, two], [three], [three, three]]);
      assert.equal(source.ended, 1);
      assert.equal(await count(), 25_000);
    }
  });

  it("cuts requests by bytes, too", async () => {
    const source = new Source(20, (n) => [n, n % 2 === 0 ? "x".repeat(1_000_000) : "y"]);
    await db.insertMany("t", source.later());
    assert.deepEqual(node.bodies.map((body) => Math.round(body.length / 1e6)), [4, 4, 2]);
    assert.equal(await count(), 20);
  });

  it("refuses a row that is unlike the first before its request, and says which", async () => {
    const refused: readonly [rows: unknown[], message: RegExp, columns?: string[]][] = [
      [[{ n: 1 }, { n: 2, b: "x" }], /^Cannot insert row 1 as it has b, too: .* keys of the first/],
      [[{ n: 1, b: "x" }, { n: 2 }], /^Cannot insert row 1 as it lacks b: .* null for NULL$/],
      [[{ n: 1 }, { b: "x" }], /row 1 as it lacks n/],
      [[{ n: 1 }], /row 0 as it lacks b: give all rows the keys of `columns`/, ["n", "b"]],
      [[{ n: 1 }, [1]], /row 1 as it is an array: give all rows as objects/],
      [[[1], { n: 1 }], /row 1 as it is an object: give all rows as lists/, ["n"]],
      [[[1, "a"], [2]], /row 1 as it has not 2 values but 1$/],
      [[[1, "a"]], /row 0 as it has not 1 values but 2$/, ["n"]],
      [[{}], /row 0 as it has no values/],
      [[[]], /row 0 as it has no values/],
      [[{ n: 1, N: 2 }], /row 0 as a column is named twice/],
      [[5], /row 0 as it is a number: give an object .* or a list of values/],
      [[null], /row 0 as it is null/],
      [[Promise.resolve([1])], /row 0 as it is a promise/],
    ];
    for (const [rows, message, columns] of refused) {
      const error = await failure(db.insertMany("t", rows as Params[], { columns }));
      assert.ok(error instanceof ProgrammingError, String(error));
      assert.match(error.message, message);
      assert.deepEqual([error.rowsApplied, error.statementIndex], [0, rows.length - 1]);
    }
    const unbound: readonly [unknown, RegExp][] = [
      [undefined, /^TypeError: Row 1: Cannot bind parameter n as it is undefined: bind null/],
      [sql`1`, /^TypeError: Row 1: .*put fragments together/],
      [{ a: 1 }, /^TypeError: Row 1: /],
      [NaN, /^RangeError: Row 1: .*NaN/],
      [2n ** 63n, /^RangeError: Row 1: .*64 bits/],
    ];
    for (const [n, message] of unbound) {
      assert.match(String(await failure(db.insertMany("t", [{ n: 1 }, { n } as Params]))), message);
    }
    assert.equal(node.bodies.length, 0);
    const far = new Source(30_000, (n) => n === 12_345 ? { b: "x" } : { n });
    const error = await failure(db.insertMany("t", far.now()));
    assert.ok(error instanceof ProgrammingError && error.rowsApplied === 10_000, String(error));
    assert.deepEqual([await count(), far.taken, far.ended], [10_000, 12_346, 1]);
  });

  it("refuses arguments and options that have no meaning, and takes no row", async () => {
    const source = new Source(1);
    const call = (table: unknown, rows: unknown, options?: object) =>
      db.insertMany(table as string, rows as Params[], options);
    const refused: readonly [Promise<unknown>, RegExp][] = [
      [call("", source.now()), /`table`.*not empty/],
      [call(5, source.now()), /`table`/],
      [call("a\0", source.now()), /NUL/],
      [call("t", { n: 1 }), /`rows`.*iterable: current value is an object/],
      [call("t", "rows"), /`rows`.*a string/],
      [call("t", source.now(), { columns: [] }), /`columns`/],
      [call("t", source.now(), { columns: "n" }), /`columns`/],
      [call("t", source.now(), { columns: ["n", 1] }), /`columns`/],
      [call("t", source.now(), { onConflict: "update" }), /`onConflict`.*error, ignore, replace/],
      [call("t", source.now(), { onProgress: true }), /`onProgress`/],
      [call("t", source.now(), { integers: "bigint" }), /`integers`/],
      [call("t", source.now(), { batchSize: 5 }), /`batchSize`/],
      [call("t", source.now(), { timeout: 0 }), /`timeout`/],
    ];
    for (const [inserting, message] of refused) {
      const error = await failure(inserting);
      assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
      assert.match(error.message, message);
    }
    await db.close();
    assert.ok(await failure(call("t", source.now())) instanceof InterfaceError);
    assert.deepEqual([source.taken, node.bodies.length], [0, 0]);
  });

  for (const way of ["now", "later"] as const) {
    it(`ends the rows where a request fails, and says which are in (${way})`, async () => {
      await db.execute("INSERT INTO t VALUES(12345, 'in the way')");
      const source = new Source(30_000);
      const told: number[] = [];
      const error = await failure(
        db.insertMany("t", source[way](), { onProgress: (rows) => void told.push(rows) }),
      );
      assert.ok(error instanceof DatabaseError, String(error));
      assert.equal(error.name, "IntegrityError");
      assert.match(error.message, /t\.n \(in one of the rows 12300 to 12399\)$/);
      assert.equal(error.sql, 'INSERT INTO "t"("n") VALUES (?)');
      assert.equal(error.rowsApplied, 10_000);
      assert.ok(!("statementIndex" in error || "results" in error));
      assert.deepEqual(told, [10_000]);
      assert.deepEqual([source.taken, source.ended, await count()], [20_000, 1, 10_001]);
      const rest = Array.from({ length: 20_000 }, (_, i) => [i + error.rowsApplied!, "rest"]);
      const { rowsAffected } = await db.insertMany("t", rest, { onConflict: "ignore" });
      assert.deepEqual([rowsAffected, await count()], [19_999, 30_000]);
    });

    it(`throws what onProgress or the rows throw, unchanged, and ends the rows (${way})`, async () => {
      const reason = new Error("enough");
      const throwing = () => {
        throw reason;
      };
      const first = new Source(30_000);
      const progressing = db.insertMany("t", first[way](), { onProgress: throwing });
      assert.equal(await failure(progressing), reason);
      assert.deepEqual([first.taken, first.ended, await count()], [10_000, 1, 10_000]);
      const told: number[] = [];
      const second = new Source(30_000, (n) => n < 15_000 ? [n + 20_000, ""] : throwing());
      const onProgress = (rows: number) => void told.push(rows);
      assert.equal(await failure(db.insertMany("t", second[way](), { onProgress })), reason);
      assert.deepEqual([told, second.ended, await count()], [[10_000], 1, 20_000]);
    });

    it(`ends with a signal at each stage, and ends the rows (${way})`, async () => {
      const reason = new Error("not needed");
      const before = new Source(5);
      const aborted = db.insertMany("t", before[way](), { signal: AbortSignal.abort(reason) });
      assert.equal(await failure(aborted), reason);
      assert.equal(before.taken, 0);

      let controller = new AbortController();
      const between = new Source(30_000);
      const onProgress = () => controller.abort(reason);
      const progressing = db.insertMany("t", between[way](), {
        signal: controller.signal,
        onProgress,
      });
      assert.equal(await failure(progressing), reason);
      assert.ok(between.taken <= 20_000);
      assert.deepEqual([between.ended, await count(), node.bodies.length], [1, 10_000, 1]);

      controller = new AbortController();
      node.before = (signal) => {
        controller.abort(reason);
        return stuck(signal);
      };
      const during = new Source(30_000, (n) => [n + 50_000, ""]);
      const sending = db.insertMany("t", during[way](), { signal: controller.signal });
      assert.equal(await failure(sending), reason);
      assert.deepEqual([during.taken, during.ended, node.bodies.length], [10_000, 1, 2]);
      assert.equal(await count(), 10_000);
    });
  }

  it("says which rows may be in where nobody can tell", async () => {
    const plain = connect("http://embedded:4001", {
      fetch: node.fetch,
      exactlyOnce: false,
      retries: 0,
    });
    node.before = () => {
      if (node.bodies.length === 2) throw new TypeError("connection reset");
    };
    const source = new Source(25_000);
    const error = await failure(plain.insertMany("t", source.later()));
    assert.ok(error instanceof OutcomeUnknownError, String(error));
    assert.deepEqual([error.rowsApplied, error.rowsUnknown], [10_000, 10_000]);
    assert.deepEqual([source.taken, source.ended, await count()], [20_000, 1, 10_000]);
    await plain.close();
  });

  it("does not wait for a row that never comes, where a signal ends it", async () => {
    const reason = new Error("not needed");
    const controller = new AbortController();
    const never = Promise.withResolvers<void>();
    let ended = false;
    async function* waiting(): AsyncGenerator<Params> {
      try {
        for (let n = 0; n < 10_500; n++) yield [n, ""];
        setTimeout(() => controller.abort(reason), 0);
        await never.promise;
        yield [-1, ""];
      } finally {
        ended = true;
      }
    }
    const { signal } = controller;
    assert.equal(await failure(db.insertMany("t", waiting(), { signal })), reason);
    assert.deepEqual([ended, await count()], [false, 10_000]);
    never.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(ended, true);
  });

  it("does not wait for rows that take their time to end, where a signal ends it", async () => {
    const controller = new AbortController();
    async function* slow(): AsyncGenerator<Params> {
      try {
        for (let n = 0; n < 30_000; n++) yield [n, ""];
      } finally {
        await new Promise(() => {});
      }
    }
    const { signal } = controller;
    const onProgress = () => controller.abort();
    assert.equal(await failure(db.insertMany("t", slow(), { signal, onProgress })), signal.reason);
  });

  it("is what an INSERT with too many values names, before anything is sent", async () => {
    const values = Array.from({ length: 32_767 }, (_, n) => n);
    const text = `INSERT INTO t(n) VALUES ${values.map(() => "(?)").join(", ")}`;
    const advice = /32766.*: insertMany\(\) takes any number of rows$/;
    const rows = values.map((n) => ({ n }));
    for (
      const inserting of [
        db.execute(text, values),
        db.execute(sql`INSERT INTO t ${sql.insert(rows)}`),
        db.execute("REPLACE INTO t(n) VALUES (?)", values),
      ]
    ) {
      const error = await failure(inserting);
      assert.ok(error instanceof ProgrammingError, String(error));
      assert.match(error.message, advice);
    }
    const update = await failure(db.execute(`UPDATE t SET n = 1 WHERE n IN (?)`, values));
    assert.doesNotMatch(String(update), /insertMany/);
    assert.equal(await count(), 0);
    assert.deepEqual(await db.insertMany("t", rows), { rowsAffected: 32_767 });
  });
});
