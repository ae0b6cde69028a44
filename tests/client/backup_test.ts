import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type BackupOptions,
  type Client,
  connect,
  ConnectionError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  TimeoutError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { readDatabaseFile } from "../support/database_file.ts";
import { startProxy } from "../support/proxy.ts";
import { ADMIN, type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer());
const take = async (db: Client, options?: BackupOptions): Promise<Uint8Array> =>
  bytesOf(await db.backup(options));
const unpacked = (bytes: Uint8Array): Promise<Uint8Array> =>
  bytesOf(
    new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream("gzip")),
  );

const COUNT = "SELECT count(*) AS n, sum(length(body)) AS size FROM notes";
const ROWS = 400;
const SIZE = 10_000;

async function fill(db: Client): Promise<void> {
  await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body BLOB)");
  await db.execute(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
     INSERT INTO notes SELECT i, zeroblob(${SIZE}) FROM n`,
  );
}

function assertWhole(bytes: Uint8Array): void {
  const { rows, sound } = readDatabaseFile(bytes, COUNT);
  assert.deepEqual([rows, sound], [[{ n: ROWS, size: ROWS * SIZE }], true]);
}

/** What an old server does not have. */
async function unlessOld(what: Promise<unknown>, old: boolean, version: string): Promise<void> {
  if (!old) return void await what;
  await assert.rejects(
    what,
    (error) =>
      error instanceof NotSupportedError && error.message.includes(`rqlite ${version} has it`),
  );
}

interface World {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<{ readonly fetch: typeof fetch; url: string; old: boolean; stop(): unknown }>;
}

const WORLDS: readonly World[] = [
  {
    name: "the embedded engine",
    skip: false,
    start: () => {
      const { fetch, close } = embedded();
      return Promise.resolve({ fetch, url: "http://localhost:4001", old: false, stop: close });
    },
  },
  {
    name: "rqlited",
    skip: skipWithoutRqlited(),
    start: async () => {
      const server = await startRqlited();
      const { url, major } = server;
      const ask: typeof fetch = (input, init) => fetch(input, init);
      return { fetch: ask, url, old: major < 9, stop: () => server.stop() };
    },
  },
];

for (const world of WORLDS) {
  describe(`backup() on ${world.name}`, { skip: world.skip }, () => {
    let place: Awaited<ReturnType<World["start"]>>;
    let db: Client;
    before(async () => {
      place = await world.start();
      db = connect(place.url, { fetch: place.fetch });
      await fill(db);
    });
    after(async () => {
      await db.close();
      await place.stop();
    });

    it("streams a database file, and tells how far it is", async () => {
      const told: number[] = [];
      const bytes = await take(db, { onProgress: (size) => void told.push(size) });
      assertWhole(bytes);
      assert.ok(bytes.length > ROWS * SIZE);
      assert.equal(told.at(-1), bytes.length);
      assert.deepEqual(told, told.toSorted((a, b) => a - b));
      assertWhole(await take(db, { noLeader: true }));
      const bounded = connect(place.url, { fetch: place.fetch, maxResponseSize: SIZE });
      assertWhole(await take(bounded));
      await bounded.close();
    });

    it("gives a file in DELETE mode, a small one, and what gzip makes of them", async () => {
      await unlessOld(
        take(db, { format: "delete" }).then((bytes) => {
          assertWhole(bytes);
          assert.deepEqual([...bytes.subarray(18, 20)], [1, 1]);
        }),
        place.old,
        "8.42.0",
      );
      const vacuumed = await take(db, { vacuum: true, compress: true });
      assert.ok(vacuumed.length < ROWS * SIZE / 10);
      assertWhole(await unpacked(vacuumed));
    });

    it("gives SQL text, of some tables, and what gzip makes of it", async () => {
      await db.execute("CREATE TABLE tags(name TEXT)");
      await db.execute("INSERT INTO tags VALUES('it''s')");
      const text = new TextDecoder().decode(await take(db, { format: "sql" }));
      assert.match(text, /^PRAGMA foreign_keys=OFF;\n[^]*INSERT INTO "tags"[^]*COMMIT;\n$/);
      await unlessOld(
        take(db, { format: "sql", tables: ["tags"] }).then((bytes) => {
          const some = new TextDecoder().decode(bytes);
          assert.ok(some.includes("CREATE TABLE tags") && !some.includes("CREATE TABLE notes"));
        }),
        place.old,
        "8.43.0",
      );
      await unlessOld(
        take(db, { format: "sql", compress: true }).then(async (bytes) => {
          assert.equal(new TextDecoder().decode(await unpacked(bytes)), text);
        }),
        place.old,
        "8.36.13",
      );
      await db.execute("DROP TABLE tags");
    });

    it("refuses SQL text where the server would leave something out", async () => {
      const cases = [
        [`CREATE TABLE odd("a""b" TEXT)`, "INSERT INTO odd VALUES('x')", "odd"],
        [`CREATE TABLE "it's"(a TEXT)`, `INSERT INTO "it's" VALUES('x')`, "it's"],
        ["CREATE TABLE cut(a, b)", "INSERT INTO cut VALUES(1, 'x' || char(0) || 'y')", "cut"],
        [
          `CREATE TABLE wide(${Array.from({ length: 150 }, (_, i) => `c${i}`).join()})`,
          "INSERT INTO wide(c149) VALUES('x' || char(0) || 'y')",
          "wide",
        ],
      ] as const;
      for (const [create, insert, table] of cases) {
        await db.batch([create, insert]);
        await assert.rejects(
          db.backup({ format: "sql" }),
          (error) =>
            error instanceof NotSupportedError && error.message.includes(JSON.stringify(table)),
        );
        await unlessOld(take(db, { format: "sql", tables: ["notes"] }), place.old, "8.43.0");
        await db.execute(`DROP TABLE "${table}"`);
      }
      assert.ok((await take(db, { format: "sql" })).length > 0);
    });

    it("refuses names that no table has, as the server would leave them out", async () => {
      for (const name of ["nobody", "NOTES"]) {
        await assert.rejects(
          db.backup({ format: "sql", tables: ["notes", name] }),
          (error) => error instanceof ProgrammingError && error.message.includes(`"${name}"`),
        );
      }
    });

    it("needs no leader in any form where it is told so", async () => {
      const leaderless = connect(place.url, {
        retries: 0,
        fetch: (input, init) =>
          String(input).includes("/db/backup") || String(input).includes("level=none")
            ? place.fetch(input, init)
            : Promise.resolve(new Response("leader not found", { status: 503 })),
      });
      await assert.rejects(leaderless.backup({ format: "sql" }), OperationalError);
      assert.ok((await take(leaderless, { format: "sql", noLeader: true })).length > 0);
      await leaderless.close();
    });

    it("refuses options that do not fit together", async () => {
      const wrong: BackupOptions[] = [
        { vacuum: true, format: "sql" },
        { tables: ["notes"] },
        { format: "sql", tables: [] },
        { format: "sql", tables: ["a,b"] },
      ];
      for (const options of wrong) await assert.rejects(db.backup(options), TypeError);
    });

    it("is an error where the end is missing, in every form", async () => {
      const short = connect(place.url, {
        fetch: async (input, init) => {
          const answer = await place.fetch(input, init);
          if (!String(input).includes("/db/backup")) return answer;
          const bytes = new Uint8Array(await answer.arrayBuffer());
          return new Response(bytes.subarray(0, bytes.length - 10), answer);
        },
      });
      const forms: BackupOptions[] = [{}, { compress: true }, { vacuum: true }, { format: "sql" }];
      for (const form of forms) {
        await assert.rejects(
          take(short, form),
          (error) =>
            error instanceof OperationalError && /not complete, do not keep it/.test(error.message),
        );
      }
      await short.close();
    });

    it("ends the stream by the signal, by close() and by who reads it", async () => {
      const other = connect(place.url, { fetch: place.fetch });
      const reason = new Error("enough");
      const stop = new AbortController();
      const reader = (await other.backup({ signal: stop.signal })).getReader();
      await reader.read();
      stop.abort(reason);
      await assert.rejects(bytesFrom(reader), (error) => error === reason);
      await (await other.backup()).cancel();
      const open = (await other.backup()).getReader();
      await open.read();
      await other.close();
      await assert.rejects(bytesFrom(open), { name: "InterfaceError" });
      await assert.rejects(other.backup(), { name: "InterfaceError" });
    });
  });
}

async function bytesFrom(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

describe("backup() over connections that break", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  before(async () => {
    server = await startRqlited({
      auth: [{ username: "app", password: "secret", perms: ["execute", "query"] }],
    });
  });
  after(() => server.stop());

  it("is repeated before its beginning, and an error behind that", async () => {
    const proxy = await startProxy(server.url);
    const { username, password } = ADMIN;
    const db = connect(proxy.url, { username, password });
    await fill(db);
    proxy.script("cut after request");
    assertWhole(await take(db));
    proxy.script("cut in body");
    const stream = await db.backup();
    await assert.rejects(bytesOf(stream), ConnectionError);
    await db.close();
    await proxy.close();
  });

  it("waits no longer than its time for the beginning", async () => {
    const db = connect("http://node:4001", {
      fetch: () =>
        Promise.resolve(new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))),
    });
    await assert.rejects(db.backup({ timeout: 50 }), TimeoutError);
    await db.close();
  });

  it("names the permission that the user lacks", async () => {
    const db = connect(server.url, { username: "app", password: "secret" });
    await assert.rejects(db.backup(), {
      name: "AuthenticationError",
      message: /permission backup/,
    });
    await db.close();
  });
});
