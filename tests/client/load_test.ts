import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect, DataError, OutcomeUnknownError, TimeoutError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { databaseFile } from "../support/database_file.ts";
import { startProxy } from "../support/proxy.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

type Fetch = typeof fetch;

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(stream).arrayBuffer());
const take = async (db: Client): Promise<Uint8Array<ArrayBuffer>> => bytesOf(await db.backup());
const insert = (db: Client, body: string) =>
  db.execute("INSERT INTO notes(body) VALUES(?)", [body]);
const bodies = async (db: Client): Promise<string[]> =>
  (await db.query<{ body: string }>("SELECT body FROM notes ORDER BY id")).rows
    .map(({ body }) => body);

/** A stream of pieces that have nothing to do with pages. */
function inPieces(bytes: Uint8Array<ArrayBuffer>, size = 10_007): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += size));
      else controller.close();
    },
  });
}

/** Keeps the requests that enter commits, to send copies of them later. */
class Copies {
  readonly #node: Fetch;
  readonly #sent: [string, RequestInit][] = [];
  /** Runs behind the answer to a load, before anybody hears of it. */
  behindLoad: () => Promise<void> = () => Promise.resolve();

  constructor(node: Fetch) {
    this.#node = node;
  }

  readonly fetch: Fetch = async (input, init = {}) => {
    const url = String(input);
    if (init.method === "POST" && /\/db\/(execute|request)/.test(url)) {
      const body = await new Response(init.body).text();
      if (body.includes("INTO _rqlite_commit")) this.#sent.push([url, { ...init, body }]);
    }
    const answer = await this.#node(input, init);
    if (url.includes("/db/load") || url.includes("/boot")) await this.behindLoad();
    return answer;
  };

  async sendAgain(): Promise<number> {
    const sent = [...this.#sent];
    for (const [url, { signal: _, ...init }] of sent) await (await this.#node(url, init)).text();
    return sent.length;
  }
}

const WORLDS: Readonly<
  Record<
    string,
    { skip: string | false; start(): Promise<[url: string, Fetch, stop: () => unknown]> }
  >
> = {
  "the embedded engine": {
    skip: false,
    start: () => {
      const { fetch, close } = embedded();
      return Promise.resolve(["http://localhost:4001", fetch, close]);
    },
  },
  rqlited: {
    skip: skipWithoutRqlited(),
    start: async () => {
      const server = await startRqlited();
      return [server.url, (input, init) => fetch(input, init), () => server.stop()];
    },
  },
};

for (const [name, { skip, start }] of Object.entries(WORLDS)) {
  describe(`load() and boot() on ${name}`, { skip }, () => {
    let url: string;
    let node: Fetch;
    let stop: () => unknown;
    let db: Client;
    let other: Client;
    let copies: Copies;
    before(async () => {
      [url, node, stop] = await start();
      copies = new Copies(node);
      db = connect(url, { fetch: copies.fetch });
      other = connect(url, { fetch: copies.fetch });
      await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
      await insert(other, "before");
    });
    after(async () => {
      await Promise.all([db.close(), other.close()]);
      await stop();
    });

    it("take back what a backup has, from every kind of source", async () => {
      const saved = await take(db);
      const was = await bodies(db);
      const packed = new Blob([saved]).stream().pipeThrough(new CompressionStream("gzip"));
      const told: number[] = [];
      const ways: (() => Promise<void>)[] = [
        () => db.load(saved, { onProgress: (bytes) => void told.push(bytes) }),
        () => db.load(new Blob([saved])),
        () => db.load(inPieces(saved, 777)),
        () => db.load(packed),
        () => db.boot(saved),
        () => db.boot(inPieces(saved)),
      ];
      for (const way of ways) {
        await insert(other, "gone");
        await way();
        // Each of the others is right at its next write.
        await insert(other, "new");
        assert.deepEqual(await bodies(db), [...was, "new"]);
      }
      assert.equal(told.at(-1), saved.length);
      await db.load(saved);
    });

    it("send a stream while it comes", async () => {
      const saved = await take(db);
      for (const way of ["load", "boot"] as const) {
        const { promise: asked, resolve } = Promise.withResolvers<void>();
        const client = connect(url, {
          fetch: (input, init) => {
            if (init?.body instanceof ReadableStream) resolve();
            return node(input, init);
          },
        });
        const parts = [saved.slice(0, -1000), saved.slice(-1000)];
        const stream = new ReadableStream<Uint8Array>({
          async pull(controller) {
            const part = parts.shift();
            if (part === undefined) return controller.close();
            if (parts.length === 0) await asked;
            controller.enqueue(part);
          },
        });
        await client[way](stream);
        await client.close();
      }
    });

    it("know the ids that the file has, and no others", async () => {
      const once = (id: string, db: Client) =>
        db.execute("INSERT INTO notes(body) VALUES(?)", [id], { id });
      await once("in the file", other);
      const saved = await take(db);
      await once("not in it", other);
      await once("only asked for", other);
      await db.load(saved);
      assert.equal(await other.outcome("only asked for"), "not committed");
      await once("in the file", other);
      await once("not in it", other);
      const all = await bodies(db);
      for (const id of ["in the file", "not in it"]) {
        assert.equal(all.filter((body) => body === id).length, 1);
        assert.equal(await other.outcome(id), "committed");
      }
    });

    it("do not know what became of an id whose row the file has no more", async () => {
      await other.execute("INSERT INTO notes(body) VALUES('pruned')", [], { id: "pruned" });
      await other.execute(
        "DELETE FROM _rqlite_commit WHERE n <= (SELECT n FROM _rqlite_commit WHERE id = 'pruned')",
      );
      await insert(other, "kept");
      const saved = await take(db);
      await insert(other, "gone");
      await db.load(saved);
      assert.equal(await other.outcome("pruned"), "unknown");
    });

    it("go on with fencing tokens behind all that were told, also where one file is loaded twice", async () => {
      const lock = new RqliteLock({ name: "jobs", client: db });
      const told: bigint[] = [];
      const work = (db: Client) =>
        db.transaction(async (tx) => {
          await tx.execute("INSERT INTO notes(body) VALUES('job')");
          told.push(tx.fencingToken!);
        }, { lock });
      await work(db);
      const saved = await take(db);
      for (const client of [other, db, other]) {
        await work(client);
        await db.load(saved);
      }
      await work(db);
      assert.deepEqual(told, [...new Set(told)].sort((a, b) => a < b ? -1 : 1));
    });

    it("keep late copies of commits out, before anybody knows of the load and behind it", async () => {
      const saved = await take(db);
      const was = await bodies(db);
      await insert(other, "late");
      const plain = { fetch: copies.fetch, coalesce: false };
      const lone = connect(url, plain);
      await lone.batch(["INSERT INTO notes(body) VALUES('late') RETURNING id", "SELECT 1"]);
      let sent = 0;
      for (const way of ["load", "boot"] as const) {
        copies.behindLoad = async () => void (sent += await copies.sendAgain());
        await db[way](saved);
        copies.behindLoad = () => Promise.resolve();
        await copies.sendAgain();
        assert.deepEqual(await bodies(db), was);
      }
      assert.ok(sent >= 4);
      await insert(lone, "on time");
      assert.deepEqual(await bodies(db), [...was, "on time"]);
      await lone.close();
    });

    it("leave other clients right where the one that loads dies behind it", async () => {
      const saved = await take(db);
      const was = await bodies(db);
      const dying = connect(url, {
        fetch: (input, init) =>
          /stale|_rqlite_before/.test(String(init?.body)) ||
            String(init?.body).includes("pragma_table_info('_rqlite_commit')")
            ? Promise.reject(new TypeError("gone"))
            : copies.fetch(input, init),
        retries: 0,
      });
      await dying.load(saved);
      await dying.close();
      await copies.sendAgain();
      const [{ lastInsertId }] = await Promise.all([insert(other, "a"), insert(db, "b")]);
      assert.ok(Number(lastInsertId) > was.length - 1);
      assert.deepEqual((await bodies(db)).sort(), [...was, "a", "b"].sort());
      const moved = await db.transaction(async (tx) => {
        const { rows } = await tx.query("SELECT count(*) AS n FROM notes");
        await tx.execute("INSERT INTO notes(body) VALUES('c')");
        return rows;
      });
      assert.deepEqual(moved, [{ n: was.length + 2 }]);
    });

    it("leave the range of numbers as it is where two writes meet it", async () => {
      const saved = await take(db);
      const dying = connect(url, {
        fetch: (input, init) =>
          String(init?.body).includes("pragma_table_info('_rqlite_commit')")
            ? Promise.reject(new TypeError("gone"))
            : copies.fetch(input, init),
        retries: 0,
      });
      const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let met = 0;
      const two = connect(url, {
        coalesce: false,
        fetch: async (input, init) => {
          const answer = await copies.fetch(input, init);
          const text = await answer.clone().text();
          if (text.includes("no column named state")) {
            if (++met === 1) await second.promise;
            else {
              second.resolve();
              await first.promise;
            }
          }
          return answer;
        },
      });
      await insert(two, "gone");
      await dying.load(saved);
      await dying.close();
      const both = [insert(two, "a"), insert(two, "b")];
      await Promise.race(both);
      first.resolve();
      await Promise.all(both);
      assert.equal(met, 2);
      const aligned = "SELECT count(*) FROM _rqlite_commit WHERE id GLOB '*.align'";
      assert.equal(await db.value(aligned), 0);
      await two.close();
    });

    it("take a file of another program, with another schema under the same version", async () => {
      const saved = await take(db);
      const version = await db.value<number>("SELECT schema_version FROM pragma_schema_version");
      const third = connect(url, { fetch: copies.fetch });
      await insert(third, "by the old schema");
      const file = databaseFile(
        `CREATE TABLE things(name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
         CREATE TABLE notes(body TEXT, id INTEGER PRIMARY KEY, more TEXT DEFAULT 'x');
         PRAGMA schema_version = ${version};`,
      );
      await db.load(file);
      const at = await third.transaction(async (tx) => {
        await tx.execute("INSERT INTO things(name) VALUES('in a transaction')");
        return await tx.value("SELECT at FROM things");
      });
      assert.equal(at, await db.value("SELECT at FROM things"));
      await third.execute("DELETE FROM things");
      await third.close();
      for (const client of [other, db]) await insert(client, "mine");
      assert.deepEqual(await bodies(other), ["mine", "mine"]);
      await other.execute("INSERT INTO things(name) VALUES('a')");
      assert.equal(typeof await db.value("SELECT at FROM things"), "string");
      await db.boot(saved);
      await insert(other, "back");
    });

    it("refuse what is not a whole database before a byte of it counts", async () => {
      await db.batch(Array.from({ length: 60 }, (_, i) => `CREATE TABLE filler${i}(a, b, c)`));
      const saved = await take(db);
      const was = await bodies(db);
      const wrong = (change: (bytes: Uint8Array) => void): Uint8Array<ArrayBuffer> => {
        const bytes = saved.slice();
        change(bytes);
        return bytes;
      };
      const { length } = saved;
      const cases: readonly Uint8Array<ArrayBuffer>[] = [
        saved.slice(0, length - 4096),
        saved.slice(0, length - 1),
        saved.slice(0, 5000),
        saved.slice(0, 99),
        saved.slice(0, 20),
        await bytesOf(new Blob([saved, "7"]).stream()),
        wrong((bytes) => bytes[17] = 3),
        wrong((bytes) => bytes[18] = 9),
        wrong((bytes) => bytes.fill(0, 100, 108)),
        new Uint8Array(),
        Uint8Array.of(0xff, 0xfe, 0x00),
      ];
      const packed = await bytesOf(
        new Blob([saved]).stream().pipeThrough(new CompressionStream("gzip")),
      );
      for (const bytes of [...cases, packed.slice(0, -20)]) {
        await assert.rejects(db.load(bytes), DataError);
        await assert.rejects(db.load(inPieces(bytes)), DataError);
        await assert.rejects(db.boot(inPieces(bytes)), DataError);
      }
      await assert.rejects(db.load(5 as never), TypeError);
      assert.deepEqual(await bodies(db), was);
      await insert(other, "still here");
    });

    it("end with what the source fails with, or the signal, and change nothing", async () => {
      const saved = await take(db);
      const was = await bodies(db);
      const reason = new Error("enough");
      const failing = (end: (controller: ReadableStreamDefaultController) => void) => {
        let pieces = 0;
        return new ReadableStream<Uint8Array>({
          pull(controller) {
            if (pieces++ === 0) controller.enqueue(saved.slice(0, saved.length - 5000));
            else return end(controller);
          },
        });
      };
      const own = db.load(failing((controller) => controller.error(reason)));
      await assert.rejects(own, (error) => error === reason);
      const stop = new AbortController();
      const held = db.load(
        failing(() => {
          stop.abort(reason);
          return new Promise(() => {}) as never;
        }),
        { signal: stop.signal },
      );
      await assert.rejects(held, (error) => error === reason);
      assert.deepEqual(await bodies(db), was);
    });

    it("run SQL text as one, and refuse a dump without its end", async () => {
      const text = "CREATE TABLE words(w TEXT);\nINSERT INTO words VALUES('a;b');";
      await db.load(text);
      assert.equal(await other.value("SELECT w FROM words"), "a;b");
      await assert.rejects(db.load("INSERT INTO words VALUES('c'); INSERT INTO none VALUES(1);"), {
        name: "ProgrammingError",
      });
      const dump = await bytesOf(await db.backup({ format: "sql" }));
      await db.execute("DROP TABLE words");
      await assert.rejects(db.load(dump.slice(0, -12)), { name: "ProgrammingError" });
      const tables = (await db.query<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_rqlite*' AND name NOT GLOB 'sqlite*'",
      )).rows;
      const was = await bodies(db);
      await db.batch(tables.map(({ name }) => `DROP TABLE ${name}`));
      await db.load(inPieces(dump));
      assert.deepEqual(await bodies(other), was);
      assert.equal(await db.value("SELECT count(*) FROM words"), 1);
      await assert.rejects(db.boot(dump), DataError);
    });
  });
}

describe("load() and boot() let go of a stream", () => {
  const reason = new Error("enough");
  let db: Client;
  let saved: Uint8Array<ArrayBuffer>;
  before(async () => {
    db = connect(embedded());
    await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
    saved = await take(db);
  });
  after(() => db.close());

  /** Gives some bytes, then nothing, and never says that it is cancelled. */
  function silent(start: Uint8Array, onSilence: () => void = () => {}) {
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const never = new Promise<void>(() => {});
    const parts = [start];
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = parts.pop();
        if (part !== undefined) return controller.enqueue(part);
        onSilence();
        return never;
      },
      cancel() {
        resolve();
        return never;
      },
    }, { highWaterMark: 0 });
    return { stream, cancelled };
  }

  it("that comes to no end before the signal", async () => {
    const packed = await bytesOf(
      new Blob([saved]).stream().pipeThrough(new CompressionStream("gzip")),
    );
    const starts = [
      new Uint8Array(),
      new TextEncoder().encode("INSERT INTO notes(body) VALUES('a');".repeat(5)),
      saved.slice(0, 50),
      saved.slice(0, -1000),
      packed.slice(0, 1),
      packed.slice(0, 200),
      packed.slice(0, -1),
    ];
    for (const start of starts) {
      const stop = new AbortController();
      const { stream, cancelled } = silent(start, () => stop.abort(reason));
      const load = db.load(stream, { signal: stop.signal });
      await assert.rejects(load, (error) => error === reason);
      await cancelled;
    }
  });

  it("that comes too late", async () => {
    const { stream, cancelled } = silent(new Uint8Array());
    await assert.rejects(db.load(stream, { timeout: 20 }), TimeoutError);
    await cancelled;
  });

  it("that they refuse", async () => {
    const header = saved.slice(0, 100).fill(3, 16, 18);
    for (const start of [new Uint8Array(100), header]) {
      const { stream, cancelled } = silent(start);
      await assert.rejects(db.boot(stream), DataError);
      await cancelled;
    }
  });
});

describe("load() over connections that break", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  before(async () => {
    server = await startRqlited();
  });
  after(() => server.stop());

  it("sends a file once, and says where nobody can tell what became of it", async () => {
    const proxy = await startProxy(server.url);
    const db = connect(proxy.url);
    await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
    const saved = await take(db);
    await insert(db, "gone");
    proxy.plan = ({ path }) => path.startsWith("/db/load") ? "cut after request" : "pass";
    for (const source of [saved, inPieces(saved)]) {
      proxy.reset();
      await assert.rejects(db.load(source), OutcomeUnknownError);
      assert.equal(proxy.forwarded.filter(({ path }) => path.startsWith("/db/load")).length, 1);
    }
    await insert(db, "new");
    assert.deepEqual(await bodies(db), ["new"]);
    await db.close();
    await proxy.close();
  });
});

describe("load() by users", { skip: skipWithoutRqlited() }, () => {
  it("names the permission that is missing, and needs no other than that", async () => {
    const user = (username: string, ...perms: string[]) => ({
      username,
      password: "secret",
      perms,
    });
    const server = await startRqlited({
      auth: [user("app", "query", "execute"), user("keeper", "load", "backup")],
    });
    const as = (username: string) => connect(server.url, { username, password: "secret" });
    const [app, keeper] = [as("app"), as("keeper")];
    await app.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
    const saved = await take(keeper);
    const calls = [
      () => app.load(saved),
      () => app.load(inPieces(saved)),
      () => app.boot(saved),
    ];
    for (const call of calls) {
      await assert.rejects(call, { name: "AuthenticationError", message: /permission load/ });
    }
    await insert(app, "gone");
    await keeper.load(inPieces(saved));
    await insert(app, "new");
    assert.deepEqual(await bodies(app), ["new"]);
    await Promise.all([app.close(), keeper.close()]);
    await server.stop();
  });
});
