import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, OperationalError } from "../../mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { post, rows } from "./post.ts";

const QUERY = "http://localhost:4001/db/query";
const JSON_HEADERS = { "content-type": "application/json" };

/** Becoming somebody else takes root, and a runtime that can: Node and Bun. */
function skipWithoutOtherUser(): string | false {
  const possible = process.versions["deno"] === undefined && process.getuid?.() === 0;
  return possible ? false : "this process cannot become another user";
}

async function withEngine(
  work: (engine: EmbeddedEngine) => Promise<void>,
  path?: string,
): Promise<void> {
  const engine = embedded(path);
  try {
    await work(engine);
  } finally {
    engine.close();
  }
}

describe("embedded().fetch", () => {
  it("takes a text, a URL or a Request", () =>
    withEngine(async ({ fetch }) => {
      const url = `${QUERY}?q=SELECT%201`;
      for (const input of [url, new URL(url), new Request(url)]) {
        const response = await fetch(input);
        assert.equal(response.status, 200);
        assert.deepEqual((await response.json()).results[0].values, [[1]]);
      }
    }));

  it("lets the second argument win over a Request", () =>
    withEngine(async ({ fetch }) => {
      const request = new Request(QUERY, { method: "POST", body: '["SELECT 1"]' });
      const response = await fetch(request, { body: '["SELECT 2"]', headers: JSON_HEADERS });
      assert.deepEqual((await response.json()).results[0].values, [[2]]);
    }));

  it("reads bytes, blobs and streams as bodies", () =>
    withEngine(async ({ fetch }) => {
      const blob = new Blob(['["SELECT 3"]']);
      const bytes = new Uint8Array(await blob.arrayBuffer());
      for (const body of [bytes, bytes.buffer, blob, blob.stream()]) {
        const init = { method: "POST", body, headers: JSON_HEADERS, duplex: "half" };
        const response = await fetch(QUERY, init as RequestInit);
        assert.deepEqual((await response.json()).results[0].values, [[3]]);
      }
    }));

  it("takes a text without a content type for SQL, as rqlite does", () =>
    withEngine(async ({ fetch }) => {
      const response = await fetch(QUERY, { method: "POST", body: "SELECT 4" });
      assert.deepEqual((await response.json()).results[0].values, [[4]]);
    }));

  it("answers HEAD and OPTIONS without a body", () =>
    withEngine(async ({ fetch }) => {
      const head = await fetch("http://localhost:4001/readyz", { method: "HEAD" });
      const options = await fetch("http://localhost:4001/db/execute", { method: "OPTIONS" });
      assert.deepEqual([head.status, head.body], [405, null]);
      assert.deepEqual([options.status, options.body], [200, null]);
    }));

  it("rejects with the signal's reason and does nothing", () =>
    withEngine(async (engine) => {
      await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
      const reason = new Error("enough");
      const body = '["INSERT INTO t VALUES(1)"]';
      const init = { method: "POST", body, signal: AbortSignal.abort(reason) };
      await assert.rejects(
        engine.fetch("http://localhost:4001/db/execute", init),
        (error) => error === reason,
      );
      assert.deepEqual(await rows(engine, "SELECT count(*) FROM t"), [[0]]);
    }));

  it("rejects with the signal's reason while the body is still on its way", () =>
    withEngine(async ({ fetch }) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const body = new ReadableStream({
        pull: () => controller.abort(reason),
      });
      const init = { method: "POST", body, signal: controller.signal, duplex: "half" };
      await assert.rejects(fetch(QUERY, init as RequestInit), (error) => error === reason);
    }));

  it("rejects a URL that is none with a TypeError", () =>
    withEngine(async ({ fetch }) => {
      await assert.rejects(fetch("not a url"), TypeError);
    }));

  it("rejects with a TypeError once the engine is closed", async () => {
    const engine = embedded();
    engine.close();
    engine.close();
    await assert.rejects(engine.fetch(QUERY), TypeError);
  });

  it("lets a request that waits for its body see that the engine was closed", async () => {
    const { fetch, close } = embedded();
    const body = new ReadableStream({
      pull(controller): void {
        close();
        controller.enqueue(new TextEncoder().encode('["SELECT 1"]'));
        controller.close();
      },
    }, { highWaterMark: 0 });
    const init = { method: "POST", body, duplex: "half" };
    await assert.rejects(fetch(QUERY, init as RequestInit), TypeError);
  });
});

/** Takes longer than the engine keeps the thread to itself. */
const SLOW = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200000) " +
  "SELECT count(*) FROM c)";

describe("embedded().fetch of a request that takes long", () => {
  const STATEMENTS = Array<string>(40).fill(`INSERT INTO t VALUES(${SLOW})`);
  const cases: [target: string, statements: readonly string[], kept: boolean][] = [
    ["/db/execute", STATEMENTS, true],
    ["/db/execute?transaction", STATEMENTS, false],
    ["/db/request", STATEMENTS, true],
    ["/db/request?transaction", STATEMENTS, false],
    ["/db/query", STATEMENTS.map(() => `SELECT ${SLOW}`), false],
  ];
  for (const [target, statements, kept] of cases) {
    it(`ends it between two statements with the signal's reason: ${target}`, () =>
      withEngine(async (engine) => {
        await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
        const controller = new AbortController();
        const reason = new Error("enough");
        const timer = setTimeout(() => controller.abort(reason), 1);
        const body = JSON.stringify(statements);
        const init = { method: "POST", body, headers: JSON_HEADERS, signal: controller.signal };
        const answer = engine.fetch(`http://localhost:4001${target}`, init);
        await assert.rejects(answer, (error) => error === reason);
        clearTimeout(timer);
        const [[n]] = await rows(engine, "SELECT count(*) FROM t") as [[number]];
        assert.ok(kept ? n < statements.length : n === 0, String(n));
        await post(engine, "/db/execute", ["INSERT INTO t VALUES(1)"]); // nothing holds a lock
        assert.deepEqual(await rows(engine, "SELECT count(*) FROM t"), [[n + 1]]);
      }));
  }

  it("answers a single statement however late, and keeps what it did", () =>
    withEngine(async (engine) => {
      await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
      const longer = SLOW.replace("200000", "2000000");
      const body = JSON.stringify([`INSERT INTO t VALUES(${longer})`]);
      // On a machine that stalls, the signal may come before the request begins: then nothing is done.
      for (let tries = 1, late = false; !late; tries++) {
        const signal = AbortSignal.timeout(100);
        const init = { method: "POST", body, headers: JSON_HEADERS, signal };
        const answer = await engine.fetch("http://localhost:4001/db/execute", init)
          .catch((error: unknown) => error);
        late = answer instanceof Response;
        assert.deepEqual(await rows(engine, "SELECT a FROM t"), late ? [[2_000_000]] : []);
        if (late) assert.match(await (answer as Response).text(), /"rows_affected":1/);
        assert.ok(late || tries < 20);
      }
    }));

  it("lets those that wait see their time pass, and does nothing for them then", () =>
    withEngine(async (engine) => {
      await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
      const slow = post(engine, "/db/query", [`SELECT ${SLOW}`, `SELECT ${SLOW}`]);
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 1);
      const body = '["INSERT INTO t VALUES(1)"]';
      const init = { method: "POST", body, headers: JSON_HEADERS, signal: controller.signal };
      await assert.rejects(engine.fetch("http://localhost:4001/db/execute", init), {
        name: "AbortError",
      });
      clearTimeout(timer);
      assert.doesNotMatch(await slow, /error/);
      assert.deepEqual(await rows(engine, "SELECT count(*) FROM t"), [[0]]);
    }));

  it("lets what comes later wait for the end of it", () =>
    withEngine(async (engine) => {
      await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
      const answers = await Promise.all([
        post(engine, "/db/execute?transaction", STATEMENTS.slice(0, 3)),
        post(engine, "/db/query", ["SELECT count(*) FROM t"]),
        post(engine, "/db/execute?transaction", ["INSERT INTO t VALUES(1)"]),
      ]);
      assert.doesNotMatch(answers.join(), /error/);
      assert.match(answers[1]!, /"values":\[\[3\]\]/);
      assert.deepEqual(await rows(engine, "SELECT count(*) FROM t"), [[4]]);
    }));

  it("lets another engine on the same file wait for the end of it, by whatever path or URI", async () => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    try {
      await withEngine(async (one) => {
        await post(one, "/db/execute", ["CREATE TABLE t(a)"]);
        const path = join(folder, "..", basename(folder), "a.db");
        for (const other of [path, `file:${path}`]) {
          await withEngine(async (two) => {
            const answers = await Promise.all([
              post(one, "/db/execute?transaction", STATEMENTS.slice(0, 3)),
              post(two, "/db/execute?transaction", ["INSERT INTO t VALUES(1)"]),
            ]);
            assert.doesNotMatch(answers.join(), /error/);
          }, other);
        }
        assert.deepEqual(await rows(one, "SELECT count(*) FROM t"), [[8]]);
      }, join(folder, "a.db"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("fails when the engine is closed in the middle", async () => {
    const engine = embedded();
    await post(engine, "/db/execute", ["CREATE TABLE t(a)"]);
    const slow = post(engine, "/db/execute?transaction", STATEMENTS);
    setTimeout(() => engine.close(), 1);
    await assert.rejects(slow, TypeError);
  });

  it("is a TimeoutError of the client, also for what waits", async () => {
    const db = connect(embedded());
    // What a batch needs is loaded by the first one, and the query would be sent before it.
    await db.batch(["SELECT 1"]);
    const reads = STATEMENTS.map(() => `SELECT ${SLOW}`);
    const failed = await Promise.all(
      [db.batch(reads, { timeout: 30 }), db.query("SELECT 1", [], { timeout: 10 })].map((call) =>
        call.then(() => "", (error: Error) => error.name)
      ),
    );
    assert.deepEqual(failed, ["TimeoutError", "TimeoutError"]);
    assert.equal((await db.query("SELECT 1 AS one")).rows.length, 1);
    await db.close();
  });
});

describe("embedded()", () => {
  it("refuses an empty path", () => {
    assert.throws(() => embedded(""), TypeError);
  });

  it("tells the path of a file that cannot be opened, and why", () => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    const at = (name: string) => join(folder, name);
    mkdirSync(at("folder.db"));
    writeFileSync(at("text.db"), "This is a text".repeat(100));
    const cases: [path: string, reason: string][] = [
      [at("none/a.db"), `there is no folder ${JSON.stringify(at("none"))}`],
      [at("text.db/a.db"), `${JSON.stringify(at("text.db"))} is no folder`],
      [at("folder.db"), "it is a folder"],
      [at("text.db"), "file is not a database"],
    ];
    try {
      for (const [path, reason] of cases) {
        assert.throws(() => embedded(path), (error) => {
          assert.ok(error instanceof OperationalError);
          assert.equal(error.code, "ERR_OPERATIONAL");
          assert.equal(
            error.message,
            `Cannot open the database ${JSON.stringify(path)}: ${reason}`,
          );
          assert.ok(error.cause instanceof Error);
          return true;
        });
      }
      assert.deepEqual(readdirSync(folder).sort(), ["folder.db", "text.db"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("tells whose permission is missing", { skip: skipWithoutOtherUser() }, () => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    try {
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, "theirs.db"), "");
      chmodSync(join(folder, "theirs.db"), 0o600);
      const script = fileURLToPath(new URL("./as_nobody.ts", import.meta.url));
      const paths = ["theirs.db", "new.db"].map((name) => join(folder, name));
      const told = execFileSync(process.execPath, [script, ...paths], { encoding: "utf8" });
      const refusal = (path: string, asked: string) =>
        `OperationalError: Cannot open the database ${JSON.stringify(path)}: ` +
        `this process may not read and write ${JSON.stringify(asked)}`;
      assert.deepEqual(told.trim().split("\n"), [
        refusal(paths[0]!, paths[0]!),
        refusal(paths[1]!, folder),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("keeps databases in memory apart", () =>
    withEngine(async (one) => {
      await post(one, "/db/execute", ["CREATE TABLE t(a)"]);
      await withEngine(async (two) => {
        assert.match(await post(two, "/db/query", ["SELECT * FROM t"]), /no such table: t/);
      });
    }));

  it("enforces foreign keys when asked to", async () => {
    const statements = [
      "CREATE TABLE p(id INTEGER PRIMARY KEY)",
      "CREATE TABLE c(p REFERENCES p(id))",
      "INSERT INTO c VALUES(1)",
    ];
    for (const foreignKeys of [false, true]) {
      const engine = embedded(":memory:", { foreignKeys });
      const failed = (await post(engine, "/db/execute", statements)).includes("FOREIGN KEY");
      engine.close();
      assert.equal(failed, foreignKeys);
    }
  });

  it("finds in a file what was written before, and leaves nothing else behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    const file = join(folder, "it's a.db");
    try {
      await withEngine(async (engine) => {
        await post(engine, "/db/execute", ["CREATE TABLE t(a)", "INSERT INTO t VALUES('kept')"]);
      }, file);
      await withEngine(async (engine) => {
        assert.deepEqual(await rows(engine, "SELECT a FROM t"), [["kept"]]);
        const backup = await engine.fetch("http://localhost:4001/db/backup?vacuum");
        assert.ok((await backup.arrayBuffer()).byteLength > 0);
      }, file);
      assert.deepEqual(readdirSync(folder), ["it's a.db"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("answers what comes during a backup or a load afterwards", () =>
    withEngine(async (engine) => {
      const url = "http://localhost:4001";
      await post(engine, "/db/execute", ["CREATE TABLE t(a)", "INSERT INTO t VALUES(1)"]);
      const copy = await (await engine.fetch(`${url}/db/backup`)).arrayBuffer();
      await post(engine, "/db/execute", ["INSERT INTO t VALUES(2)"]);
      const answers = await Promise.all([
        engine.fetch(`${url}/db/load`, { method: "POST", body: copy }).then((r) => r.text()),
        post(engine, "/db/query", ["SELECT a FROM t"]),
        post(engine, "/db/execute", ["INSERT INTO t VALUES(3)"]),
      ]);
      assert.equal(answers[0], '{"results":[]}');
      assert.doesNotMatch(answers[1] + answers[2], /error/);
      const found = await rows(engine, "SELECT a FROM t ORDER BY a");
      assert.ok(["[[1]]", "[[1],[3]]"].includes(JSON.stringify(found)), JSON.stringify(found));
    }));

  it("keeps what it has when a database file that is loaded is damaged", () =>
    withEngine(async (engine) => {
      const url = "http://localhost:4001/db/load";
      await post(engine, "/db/execute", ["CREATE TABLE t(a)", "INSERT INTO t VALUES(1)"]);
      const body = new TextEncoder().encode("SQLite format 3\0 and then nothing of the kind");
      const response = await engine.fetch(url, { method: "POST", body });
      assert.equal(response.status, 500);
      assert.match(await response.text(), /^error swapping databases: /);
      assert.deepEqual(await rows(engine, "SELECT a FROM t"), [[1]]);
    }));

  it("shows a changed schema at once and under the right names", () =>
    withEngine(async (engine) => {
      await post(engine, "/db/execute", ["CREATE TABLE c(a, b, d)", "INSERT INTO c VALUES(1,2,3)"]);
      await post(engine, "/db/query", ["SELECT * FROM c"]);
      await post(engine, "/db/execute", ["ALTER TABLE c DROP COLUMN b"]);
      const answer = JSON.parse(await post(engine, "/db/query", ["SELECT * FROM c"]));
      assert.deepEqual(answer.results[0].columns, ["a", "d"]);
      assert.deepEqual(answer.results[0].values, [[1, 3]]);
    }));
});
