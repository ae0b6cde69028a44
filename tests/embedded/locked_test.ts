import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Client,
  connect,
  ConnectionError,
  OutcomeUnknownError,
  TimeoutError,
} from "../../mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { post, rows } from "./post.ts";

const HOLDER = fileURLToPath(new URL("./lock_holder.ts", import.meta.url));
const URL_BASE = "http://localhost:4001";

let folder = "";
let files = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "embedded-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Somebody else who has the file. */
interface Holder {
  /** Lets go of it. */
  release(): Promise<void>;
  /** Dies with it. */
  kill(): Promise<void>;
}

async function lockByProcess(file: string, lock = "IMMEDIATE"): Promise<Holder> {
  const { command, args } = OWN_ENGINE;
  const child = spawn(command, [...args, HOLDER, file, lock], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  child.stdout.resume();
  return {
    release: async () => {
      child.stdin.end();
      await ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The application's own connection, in this process. */
function lockByConnection(file: string): Holder {
  const database = new DatabaseSync(file);
  database.exec("BEGIN IMMEDIATE");
  const release = (): Promise<void> => {
    if (database.isOpen) database.exec("COMMIT");
    if (database.isOpen) database.close();
    return Promise.resolve();
  };
  return { release, kill: release };
}

/** A file with a table `t`. */
async function newFile(): Promise<string> {
  const file = join(folder, `${++files}.db`);
  const engine = embedded(file);
  await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
  engine.close();
  return file;
}

async function withDatabase(
  lock: (file: string) => Holder | Promise<Holder>,
  work: (db: Client, holder: Holder) => Promise<void>,
): Promise<void> {
  const file = await newFile();
  const db = connect(embedded(file));
  // What a first write makes is there before somebody else locks the file.
  await db.execute("INSERT INTO t VALUES('first')");
  const holder = await lock(file);
  try {
    await work(db, holder);
  } finally {
    await holder.kill();
    await db.close();
  }
}

async function values(db: Client): Promise<unknown[]> {
  const { rows } = await db.query("SELECT a FROM t ORDER BY rowid");
  return rows.map(({ a }) => a);
}

const HOLDERS = [["another process", lockByProcess], [
  "another connection of the process",
  lockByConnection,
]] as const;

for (const [who, lock] of HOLDERS) {
  describe(`embedded() while ${who} has locked the file`, () => {
    it("keeps writes waiting in their order, while timers fire and reads are answered", () =>
      withDatabase(lock, async (db, holder) => {
        const done: string[] = [];
        const note = (what: string) => () => void done.push(what);
        const writes = [
          db.execute("INSERT INTO t VALUES(1)").then(note("one")),
          db.execute("INSERT INTO t VALUES(2)").then(note("two")),
        ];
        await new Promise((resolve) => setTimeout(resolve, 20)).then(note("timer"));
        assert.deepEqual(await values(db), ["first"]);
        await db.batch(["SELECT 1", "SELECT a FROM t"]).then(note("batch of reads"));
        await holder.release();
        await Promise.all(writes);
        assert.deepEqual(done, ["timer", "batch of reads", "one", "two"]);
        assert.deepEqual(await values(db), ["first", 1, 2]);
      }));

    it("ends a wait with a TimeoutError that tells of the lock, and nothing was done", () =>
      withDatabase(lock, async (db) => {
        const options = { timeout: 1000 };
        const calls = [
          db.execute("INSERT INTO t VALUES(1)", [], options),
          db.execute("INSERT INTO t VALUES(2)", [], { ...options, exactlyOnce: false }),
          db.execute("INSERT INTO t VALUES(3) RETURNING a", [], options),
          db.batch(["INSERT INTO t VALUES(4)", "INSERT INTO t VALUES(5)"], options),
          db.transaction((tx) => tx.execute("INSERT INTO t VALUES(6)"), options),
        ];
        for (const call of await Promise.allSettled(calls)) {
          assert.equal(call.status, "rejected");
          assert.ok(call.reason instanceof TimeoutError, String(call.reason));
          assert.match(call.reason.message, /another process or connection has locked the file/);
        }
        assert.deepEqual(await values(db), ["first"]);
      }));

    it("ends a wait with the signal's reason, and the next write goes on", () =>
      withDatabase(lock, async (db, holder) => {
        const controller = new AbortController();
        const reason = new Error("enough");
        const { signal } = controller;
        const write = db.execute("INSERT INTO t VALUES(1)", [], { signal, coalesce: false });
        const next = db.execute("INSERT INTO t VALUES(2)");
        await values(db);
        controller.abort(reason);
        await assert.rejects(write, (error) => error === reason);
        await holder.release();
        await next;
        assert.deepEqual(await values(db), ["first", 2]);
      }));
  });
}

describe("embedded() while the file is locked", () => {
  // What takes seconds, whatever the runtime.
  const skip = OWN_ENGINE.name !== "deno";

  it("goes on when the process that has it is killed", () =>
    withDatabase(lockByProcess, async (db, holder) => {
      const write = db.execute("INSERT INTO t VALUES(1)");
      await values(db);
      await holder.kill();
      await write;
      assert.deepEqual(await values(db), ["first", 1]);
    }));

  it("opens a file that is locked as a whole, and its first request waits", async () => {
    const file = join(folder, "exclusive.db");
    const holder = await lockByProcess(file, "EXCLUSIVE");
    const db = connect(embedded(file));
    try {
      await assert.rejects(db.query("SELECT 1", [], { timeout: 1000 }), TimeoutError);
      const write = db.execute("CREATE TABLE t(a)");
      const read = db.query("PRAGMA journal_mode");
      await holder.release();
      assert.deepEqual((await read).rows, [{ journal_mode: "wal" }]);
      await write;
      assert.deepEqual(await values(db), []);
    } finally {
      await holder.kill();
      await db.close();
    }
  });

  it("ends every kind of write with the signal's reason, and answers backups", async () => {
    const file = await newFile();
    const engine = embedded(file);
    const copy = await (await engine.fetch(`${URL_BASE}/db/backup`)).arrayBuffer();
    await post(engine, "/db/execute", ["INSERT INTO t VALUES('first')"]);
    const holder = lockByConnection(file);
    const insert = '["INSERT INTO t VALUES(1)"]';
    const json = { "content-type": "application/json" };
    try {
      const controller = new AbortController();
      const targets: [path: string, body: string | ArrayBuffer][] = [
        ["/db/execute", insert],
        ["/db/execute?transaction", insert],
        ["/db/execute?queue", insert],
        ["/db/request", insert],
        ["/db/request?transaction", insert],
        ["/db/load", "INSERT INTO t VALUES(1)"],
        ["/db/load", copy],
        ["/boot", copy],
      ];
      const answers = targets.map(([path, body]) => {
        const headers: Record<string, string> = typeof body === "string" ? json : {};
        const init = { method: "POST", body, headers, signal: controller.signal };
        return engine.fetch(URL_BASE + path, init).then(String, (error) => error);
      });
      for (const query of ["", "?fmt=sql", "?vacuum"]) {
        assert.equal((await engine.fetch(`${URL_BASE}/db/backup${query}`)).status, 200);
      }
      controller.abort("enough");
      assert.deepEqual(await Promise.all(answers), targets.map(() => "enough"));
      await holder.release();
      assert.deepEqual(await rows(engine, "SELECT a FROM t"), [["first"]]);
    } finally {
      engine.close();
    }
  });

  it("loads a database file once the lock is gone", async () => {
    const file = await newFile();
    const engine = embedded(file);
    const body = await (await engine.fetch(`${URL_BASE}/db/backup`)).arrayBuffer();
    await post(engine, "/db/execute", ["INSERT INTO t VALUES('first')"]);
    const holder = lockByConnection(file);
    const { signal } = new AbortController();
    const load = engine.fetch(`${URL_BASE}/db/load`, { method: "POST", body, signal });
    assert.deepEqual(await rows(engine, "SELECT a FROM t"), [["first"]]);
    await holder.release();
    assert.equal((await load).status, 200);
    assert.deepEqual(await rows(engine, "SELECT a FROM t"), []);
    engine.close();
  });

  it("loads a database file while somebody else locks and frees it all the time", async () => {
    const file = await newFile();
    const engine = embedded(file);
    await post(engine, "/db/execute", [`INSERT INTO t WITH RECURSIVE c(x) AS
      (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000) SELECT randomblob(1000) FROM c`]);
    const body = await (await engine.fetch(`${URL_BASE}/db/backup`)).arrayBuffer();
    const other = new DatabaseSync(file, { timeout: 0 });
    const timer = setInterval(() => {
      try {
        other.exec(other.isTransaction ? "COMMIT" : "BEGIN IMMEDIATE");
      } catch {
        // The engine was faster.
      }
    }, 1);
    try {
      for (let i = 0; i < 10; i++) {
        const { signal } = new AbortController();
        const loaded = await engine.fetch(`${URL_BASE}/boot`, { method: "POST", body, signal });
        assert.equal(loaded.status, 200, await loaded.text());
      }
      assert.deepEqual(await rows(engine, "SELECT count(*) FROM t"), [[3000]]);
    } finally {
      clearInterval(timer);
      other.close();
      engine.close();
    }
  });

  it(
    "does not say of a batch that nothing was done, where a statement had been applied",
    { skip },
    async () => {
      const file = await newFile();
      const db = connect(embedded(file));
      const other = new DatabaseSync(file, { timeout: 0 });
      // The engine rests behind a statement that takes long; then this gets the lock.
      const timer = setInterval(() => {
        if (other.isTransaction || other.prepare("SELECT 1 FROM t").get() === undefined) return;
        other.exec("BEGIN IMMEDIATE");
      });
      const insert = `INSERT INTO t SELECT count(*) FROM (WITH RECURSIVE c(x) AS
      (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 500000) SELECT x FROM c)`;
      const options = { atomic: false, exactlyOnce: false, timeout: 3000 };
      const batch = db.batch([insert, "INSERT INTO t VALUES('second')"], options);
      await assert.rejects(batch, OutcomeUnknownError);
      clearInterval(timer);
      assert.deepEqual(await values(db), [500_000]);
      other.close();
      await db.close();
    },
  );

  it("lets the next one write where a write ends while reads are in front of it", async () => {
    const file = await newFile();
    const engine = embedded(file);
    const insert = (a: number, signal: AbortSignal): Promise<Response> => {
      const body = `INSERT INTO t VALUES(${a})`;
      return engine.fetch(`${URL_BASE}/db/execute`, { method: "POST", body, signal });
    };
    // Long enough that timers fire between its statements.
    const slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) " +
      "SELECT count(*) FROM c";
    const controller = new AbortController();
    const reading = async (): Promise<void> => {
      while (!controller.signal.aborted) {
        await post(engine, "/db/query", [slow, slow, slow]);
      }
    };
    const holder = lockByConnection(file);
    try {
      const first = insert(1, new AbortController().signal);
      const ended = assert.rejects(insert(2, controller.signal), { name: "AbortError" });
      await rows(engine, "SELECT a FROM t");
      const reads = [reading(), reading(), reading()];
      await rows(engine, "SELECT a FROM t");
      await holder.release();
      await first;
      // Now the second one may write, and waits for its turn behind the reads.
      await new Promise((resolve) => setTimeout(resolve));
      controller.abort();
      await ended;
      await Promise.all(reads);
      await insert(3, AbortSignal.timeout(10_000));
      assert.deepEqual(await rows(engine, "SELECT a FROM t"), [[1], [3]]);
    } finally {
      engine.close();
    }
  });

  it("says of what waits when the engine is closed that nothing was done", async () => {
    const file = await newFile();
    const engine = embedded(file);
    const db = connect(engine);
    await db.execute("INSERT INTO t VALUES('first')");
    const holder = lockByConnection(file);
    const insert = "INSERT INTO t VALUES(1)";
    const writes = [
      db.execute(insert),
      db.execute(insert, [], { exactlyOnce: false }),
      db.batch([insert, insert], { atomic: false, exactlyOnce: false }),
    ];
    const ended = Promise.all(writes.map((write) => assert.rejects(write, ConnectionError)));
    await values(db);
    engine.close();
    await ended;
    await holder.release();
    const later = connect(embedded(file));
    assert.deepEqual(await values(later), ["first"]);
    await later.close();
  });

  it("does not wait for what a transaction has read to become current again", async () => {
    const file = await newFile();
    const engine: EmbeddedEngine = embedded(file);
    const other = new DatabaseSync(file);
    await post(engine, "/db/execute", ["BEGIN"]);
    await post(engine, "/db/request?level=strong", ["SELECT * FROM t"]);
    other.exec("INSERT INTO t VALUES('other')");
    const response = await engine.fetch(`${URL_BASE}/db/execute`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '["INSERT INTO t VALUES(1)", "ROLLBACK", "INSERT INTO t VALUES(2)"]',
      signal: new AbortController().signal,
    });
    const { results } = await response.json();
    assert.equal(results[0].error, "database is locked");
    assert.deepEqual(await rows(engine, "SELECT a FROM t"), [["other"], [2]]);
    other.close();
    engine.close();
  });

  it("answers without a signal that the database is locked, in the end", { skip }, async () => {
    const file = await newFile();
    const engine = embedded(file);
    const holder = lockByConnection(file);
    const answer = await post(engine, "/db/execute?transaction", ["INSERT INTO t VALUES(1)"]);
    assert.match(answer, /"error":"database is locked"/);
    await holder.release();
    engine.close();
  });
});
