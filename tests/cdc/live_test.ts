// Live queries over the embedded engine; what the server would post is told by hand.
import assert from "node:assert/strict";
import { type Client, connect, InterfaceError, ProgrammingError, sql } from "../../mod.ts";
import {
  type ChangeFeed,
  changeFeed,
  type ChangeSource,
  live,
  type LiveOptions,
} from "../../src/cdc/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { serveHere } from "../hono/serve.ts";
import { sleep, until } from "../support/http.ts";
import { test } from "../support/test.ts";

interface World {
  readonly db: Client;
  readonly feed: ChangeFeed;
  /** The queries that were run, but for those about the schema. */
  readonly queries: string[];
  /** Set it to keep queries from being answered until it resolves. */
  gate: Promise<void> | undefined;
  /** Writes a row, and has the feed told. */
  add(title: string, table?: string): Promise<void>;
  /** Has the feed told of a change to a table. */
  tell(table: string): Promise<void>;
}

function worldTest(name: string, body: (world: World) => Promise<void>): void {
  test(name, async () => {
    const local = embedded();
    const gated: typeof fetch = async (input, init) => {
      const text = String(init?.body instanceof Blob ? await init.body.text() : init?.body);
      if (text.includes("title") && !/CREATE|INSERT/.test(text)) {
        world.queries.push(text);
        await world.gate;
      }
      return await local.fetch(input, init);
    };
    const db = connect({ ...local, fetch: gated });
    const feed = changeFeed({ unread: "drop" });
    let index = 1;
    const world: World = {
      db,
      feed,
      queries: [],
      gate: undefined,
      async add(title, table = "todos") {
        await db.execute(`INSERT INTO ${table}(title) VALUES(?)`, [title]);
        await this.tell(table);
      },
      async tell(table) {
        const events = [{ op: "INSERT", table, after: { title: "?" } }];
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ node_id: "1", payload: [{ index: index++, events }] });
        const answer = await feed(new Request("http://app/", { method: "POST", headers, body }));
        assert.equal(answer.status, 200);
      },
    };
    for (const table of ["todos", "others"]) {
      await db.execute(`CREATE TABLE ${table}(id INTEGER PRIMARY KEY, title TEXT)`);
    }
    try {
      await body(world);
    } finally {
      feed.close();
      await db.close();
    }
  });
}

const TITLES = "SELECT title FROM todos ORDER BY id";
type Titles = readonly { title: string }[];
const titles = (result: IteratorResult<Titles>) =>
  result.value?.map(({ title }: { title: string }) => title);

worldTest("live() gives the rows at once and after each change of its tables", async (world) => {
  const { db, feed } = world;
  const rows = live<{ title: string }>(db, TITLES, [], { feed })[Symbol.asyncIterator]();
  assert.deepEqual(titles(await rows.next()), []);
  const next = rows.next();
  await world.add("elsewhere", "others");
  await world.add("milk");
  assert.deepEqual(titles(await next), ["milk"]);
  await world.add("tea");
  assert.deepEqual(titles(await rows.next()), ["milk", "tea"]);
  assert.equal(world.queries.length, 3);
  await rows.return!();
  await world.add("bread");
  assert.equal(world.queries.length, 3);
  assert.equal((await rows.next()).done, true);
});

worldTest("live() reads once more however many changes come meanwhile", async (world) => {
  const { db, feed } = world;
  const rows = live<{ title: string }>(db, TITLES, undefined, { feed })[Symbol.asyncIterator]();
  await rows.next();
  for (const title of ["a", "b", "c"]) await world.add(title);
  let open!: () => void;
  world.gate = new Promise((resolve) => open = resolve);
  const second = rows.next();
  await until("query", () => Promise.resolve(world.queries.length === 2 || undefined));
  for (const title of ["d", "e"]) await world.add(title);
  world.gate = undefined;
  open();
  await second;
  assert.deepEqual(titles(await rows.next()), ["a", "b", "c", "d", "e"]);
  assert.equal(world.queries.length, 3);
  assert.equal(await Promise.race([rows.next(), sleep(5)]), undefined);
  await rows.return!();
});

worldTest(
  "live() runs once for all its loops, and each begins with rows of its own time",
  async (world) => {
    const { db, feed } = world;
    const query = live<{ title: string }>(db, TITLES, [], { feed });
    const first = query[Symbol.asyncIterator]();
    await first.next();
    // It is written, and the feed does not know yet.
    await db.execute("INSERT INTO todos(title) VALUES('milk')");
    const others = Array.from({ length: 50 }, () => query[Symbol.asyncIterator]());
    for (const { value } of await Promise.all(others.map((one) => one.next()))) {
      assert.deepEqual(value, [{ title: "milk" }]);
    }
    assert.equal(world.queries.length, 2);
    const all = [first, ...others].map((one) => one.next());
    await world.tell("TODOS");
    for (const { value } of await Promise.all(all)) assert.deepEqual(value, [{ title: "milk" }]);
    assert.equal(world.queries.length, 3);
    for (const one of [first, ...others]) await one.return!();
  },
);

worldTest(
  "live() knows the tables of views, subqueries and fragments, or is told them",
  async (world) => {
    const { db, feed } = world;
    await db.execute("CREATE VIEW open_todos AS SELECT title FROM todos");
    await db.execute("CREATE VIEW above AS SELECT title FROM open_todos");
    const follows = async (
      query: Parameters<typeof live>[1],
      table: string,
      other: string,
      options: Partial<LiveOptions> = {},
    ) => {
      const rows = live(db, query, undefined, { feed, ...options })[Symbol.asyncIterator]();
      await rows.next();
      const next = rows.next();
      const before = world.queries.length;
      await world.tell(other);
      await sleep(5);
      assert.equal(world.queries.length, before);
      await world.tell(table);
      assert.equal((await next).done, false);
      await rows.return!();
    };
    await follows("SELECT title FROM above", "todos", "others");
    await follows(sql`SELECT title FROM ${sql.id("todos")} WHERE id = ${1}`, "todos", "others");
    const both = sql`SELECT title FROM todos WHERE id IN (SELECT id FROM others)`;
    await follows(both, "todos", "none");
    await follows(both, "others", "none");
    await follows(TITLES, "others", "todos", { tables: ["OTHERS"] });
    const unclear = live(db, "SELECT 1 AS title", [], { feed })[Symbol.asyncIterator]();
    await assert.rejects(unclear.next(), (error: Error) => {
      return error instanceof ProgrammingError && error.message.includes("`tables`");
    });
    assert.equal((await unclear.next()).done, true);
    const missing = live(db, "SELECT title FROM todoz", [], { feed })[Symbol.asyncIterator]();
    await assert.rejects(missing.next(), /no such table: todoz/);
  },
);

worldTest(
  "live() ends with its signal, its feed and a failure, and leaves nothing behind",
  async (world) => {
    const { db, feed } = world;
    const controller = new AbortController();
    const query = live(db, TITLES, [], { feed, signal: controller.signal });
    const rows = query[Symbol.asyncIterator]();
    await rows.next();
    const next = rows.next();
    controller.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    await assert.rejects(query[Symbol.asyncIterator]().next(), /enough/);
    const other = live(db, TITLES, [], { feed })[Symbol.asyncIterator]();
    await other.next();
    let open!: () => void;
    world.gate = new Promise((resolve) => open = resolve);
    await world.tell("todos");
    const waiting = other.next();
    await until("query", () => Promise.resolve(world.queries.length === 3 || undefined));
    await other.return!();
    assert.equal((await waiting).done, true);
    world.gate = undefined;
    open();
    const last = live(db, TITLES, [], { feed })[Symbol.asyncIterator]();
    await last.next();
    const ending = last.next();
    feed.close();
    assert.equal((await ending).done, true);
    const late = live(db, TITLES, [], { feed })[Symbol.asyncIterator]();
    assert.equal((await late.next()).done, true);
  },
);

worldTest(
  "live() gives a slow loop the newest rows, not those that another loop has met",
  async (world) => {
    const { db, feed } = world;
    const query = live<{ title: string }>(db, TITLES, [], { feed });
    const slow = query[Symbol.asyncIterator]();
    const fast = query[Symbol.asyncIterator]();
    await Promise.all([slow.next(), fast.next()]);
    await world.add("milk");
    assert.deepEqual(titles(await fast.next()), ["milk"]);
    await world.add("tea");
    assert.deepEqual(titles(await slow.next()), ["milk", "tea"]);
    await slow.return!();
    await fast.return!();
  },
);

worldTest(
  "live() listens as long as somebody reads, and ends the query that nobody waits for",
  async ({ db }) => {
    const listening = new Set<unknown>();
    const feed: ChangeSource = {
      listen(listener) {
        listening.add(listener);
        return () => listening.delete(listener);
      },
    };
    const signals: AbortSignal[] = [];
    const levels: unknown[] = [];
    const reader: Pick<Client, "query"> = {
      query(sql, params, options) {
        if (options?.signal !== undefined) signals.push(options.signal);
        levels.push(options?.level);
        return db.query(sql, params, options);
      },
    };
    const query = live(reader, TITLES, [], { feed, tables: ["todos"] });
    assert.equal(listening.size, 0);
    const one = query[Symbol.asyncIterator]();
    const body = query.response().body!;
    await one.next();
    assert.equal(listening.size, 1);
    await one.return!();
    assert.deepEqual([listening.size, signals[0]!.aborted], [1, false]);
    await body.cancel();
    assert.deepEqual([listening.size, signals[0]!.aborted], [0, true]);
    assert.deepEqual(new Set(levels), new Set(["linearizable"]), "a node may lack the change");
  },
);

worldTest("live() goes on after a run that failed, for loops that begin then", async (world) => {
  const { db, feed } = world;
  const query = live<{ title: string }>(db, TITLES, [], { feed });
  const one = query[Symbol.asyncIterator]();
  const other = query[Symbol.asyncIterator]();
  await Promise.all([one.next(), other.next()]);
  await db.execute("ALTER TABLE todos RENAME TO hidden");
  await world.tell("todos");
  await assert.rejects(one.next(), /no such table/);
  await db.execute("ALTER TABLE hidden RENAME TO todos");
  assert.deepEqual(titles(await other.next()), [], "it has not met the failure");
  await world.add("milk");
  assert.deepEqual(titles(await other.next()), ["milk"]);
  await other.return!();
});

worldTest(
  "live() refuses what it cannot work with before anything is sent",
  async ({ db, feed }) => {
    const bad = (options: unknown) => () => live(db, TITLES, [], options as LiveOptions);
    assert.throws(bad({}), /`feed`/);
    assert.throws(bad({ feed: {} }), TypeError);
    assert.throws(bad({ feed, level: "none" }), /`level`/);
    assert.throws(bad({ feed, tables: [] }), /`tables`/);
    assert.throws(() => live({} as Client, TITLES, [], { feed }), /`client`/);
    assert.throws(() => live(db, 5 as never, [], { feed }), TypeError);
    const held = live(db, TITLES, [], { feed: changeFeed() });
    assert.throws(() => held[Symbol.asyncIterator](), InterfaceError);
    assert.throws(() => held.response(), InterfaceError);
    assert.throws(() => live(db, TITLES, [], { feed }).response({ heartbeat: 0 }), RangeError);
    await Promise.resolve();
  },
);

worldTest("response() sends events until the browser goes away", async (world) => {
  const { db, feed } = world;
  await db.execute("INSERT INTO todos(id, title) VALUES(9007199254740993, 'milk')");
  const options = { feed, integers: "auto" } as const;
  const query = live(db, "SELECT id, title, x'00ff' AS b FROM todos", [], options);
  const server = await serveHere(() => query.response({ heartbeat: 20 }));
  const controller = new AbortController();
  try {
    const answer = await fetch(server.url, { signal: controller.signal });
    assert.match(answer.headers.get("content-type")!, /^text\/event-stream/);
    assert.equal(answer.headers.get("cache-control"), "no-cache, no-transform");
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const read = async (what: string) => {
      while (!text.includes(what)) {
        const { done, value } = await reader.read();
        assert.equal(done, false, text);
        text += value;
      }
    };
    await read('data: [{"id":"9007199254740993","title":"milk","b":"AP8="}]\n\n');
    await read(":\n\n");
    await world.add("tea");
    await read('"title":"tea"');
    controller.abort();
    await reader.closed.catch(() => {});
    // The server notices when it writes.
    await until("end", async () => {
      const before = world.queries.length;
      await world.add("bread");
      await sleep(50);
      return world.queries.length === before || undefined;
    });
  } finally {
    await server.close();
  }
});

worldTest("response() ends with the feed, and breaks off where the query fails", async (world) => {
  const { db, feed } = world;
  const broken = live(db, "SELECT title FROM todoz", [], { feed }).response();
  await assert.rejects(broken.text(), /no such table: todoz/);
  const left = live(db, TITLES, [], { feed }).response();
  await left.body!.cancel();
  const slow = live(db, TITLES, [], { feed }).response({ heartbeat: 1 }).body!;
  const reader = live(db, TITLES, [], { feed }).response().body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "data: []\n\n");
  await sleep(20);
  feed.close();
  assert.equal((await reader.read()).done, true);
  const unread = await Array.fromAsync(slow);
  assert.ok(unread.length <= 2, `${unread.length} events wait for one who does not read`);
});

worldTest("response() keeps no timer where nobody reads it", async ({ db, feed }) => {
  const query = live(db, TITLES, [], { feed });
  // As some frameworks answer HEAD: the body is neither read nor cancelled.
  query.response();
  const rows = query[Symbol.asyncIterator]();
  await rows.next();
  await sleep(0);
  feed.close();
  assert.equal((await rows.next()).done, true);
});
