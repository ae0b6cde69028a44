// Fact F7 of docs/internals/server.md: no runtime's fetch may repeat a write by itself, and neither may the client a plain one. By
// default a write carries an id, and one whose answer is lost is sent again until it is known what became of it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  type ConnectOptions,
  DataError,
  OutcomeUnknownError,
  type RequestEvent,
  RqliteError,
} from "../../mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { holdsId } from "../support/commits.ts";
import { type Fault, type Proxy, startProxy } from "../support/proxy.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, failureOf } from "./helpers.ts";

const INSERT = "INSERT INTO t VALUES(1)";

/** What is sent once, in all the ways of writing. */
const WRITES: readonly [name: string, write: (db: Client) => Promise<unknown>][] = [
  ["execute()", (db) => db.execute(INSERT)],
  ["execute() with RETURNING", (db) => db.execute(`${INSERT} RETURNING rowid`)],
  [
    "execute() with a long body",
    (db) => db.execute("INSERT INTO t VALUES(?)", ["x".repeat(99_999)]),
  ],
  ["batch()", (db) => db.batch([INSERT, "UPDATE t SET n = n"])],
  ["batch() of reads and writes, not atomic", (db) => {
    return db.batch([INSERT, "SELECT 1"], { atomic: false });
  }],
];

/** The ways to a server. */
const TRANSPORTS: readonly [name: string, open: () => ConnectOptions][] = [
  ["fetch", () => ({})],
  ["nodeFetch()", () => {
    const transport = nodeFetch();
    return { fetch: transport, close: transport.close };
  }],
];

/** The server did it, and its answer was lost on the way. */
const LOST: readonly Fault[] = ["cut after request", "cut after headers", "cut in body"];

for (const [via, open] of TRANSPORTS) {
  describe(`a plain write over ${via} whose answer is lost`, { skip: skipWithoutRqlited() }, () => {
    let server: Rqlited;
    let proxy: Proxy;
    let db: Client;
    let events: RequestEvent[];

    before(async () => {
      server = await startRqlited();
    });

    after(async () => await server.stop());

    beforeEach(async () => {
      await server.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(n)");
      proxy = await startProxy(server.url);
      events = [];
      const onRequest = (event: RequestEvent): void => void events.push(event);
      db = connect([proxy.url, proxy.url], { onRequest, exactlyOnce: false, ...open() });
      // From here on there is a connection to be reused, and the version and the schema are known.
      await db.execute("INSERT INTO t SELECT 1 WHERE 0");
      await db.query("SELECT 1", [], { level: "weak" });
      proxy.reset();
      events.length = 0;
    });

    afterEach(async () => {
      await db.close();
      await proxy.close();
    });

    const count = () => cell(server, "SELECT count(*) FROM t");

    for (const fault of LOST) {
      for (const [name, write] of WRITES) {
        it(`"${fault}": ${name} is sent once and its outcome is unknown`, async () => {
          proxy.script(fault);
          const error = await failureOf(write(db));
          assert.ok(error instanceof OutcomeUnknownError, String(error));
          assert.equal(error.retryable, false);
          assert.equal(proxy.requests.length, 1);
          assert.equal(events.length, 1);
          assert.equal(proxy.connections, 0, "the connection was a reused one");
          assert.equal(await count(), 1);
        });
      }

      it(`"${fault}": a read is repeated and succeeds`, async () => {
        proxy.script(fault);
        const { rows } = await db.query("SELECT 7 AS n", [], { level: "weak" });
        assert.deepEqual(rows, [{ n: 7 }]);
        assert.equal(proxy.requests.length, 2);
      });
    }

    it("a write that the server never saw is reported as unknown too, and sent once", async () => {
      proxy.script("cut before");
      const error = await failureOf(db.execute(INSERT));
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(proxy.requests.length, 1);
      assert.equal(await count(), 0);
    });

    it("a write on a connection that the server has closed is applied at most once", async () => {
      let applied = 0;
      let unknown = 0;
      for (let i = 0; i < 10; i++) {
        proxy.script("pass and close");
        await db.query("SELECT 1", [], { level: "weak" });
        proxy.reset();
        const error = await db.execute(INSERT).then(() => undefined, (e: unknown) => e);
        if (error === undefined) applied++;
        else if (error instanceof OutcomeUnknownError) unknown++;
        else assert.ok(error instanceof RqliteError, String(error));
        assert.ok(proxy.requests.length <= 1);
      }
      const rows = Number(await count());
      assert.ok(rows >= applied && rows <= applied + unknown, `${rows} ${applied} ${unknown}`);
    });

    it("many writes at once, a third of them cut: each is sent once", async () => {
      let index = 0;
      proxy.plan = () => index++ % 3 === 0 ? "cut after request" : "pass";
      const writes = Array.from(
        { length: 30 },
        (_, i) => db.execute("INSERT INTO t VALUES(?)", [i]),
      );
      const settled = await Promise.allSettled(writes);
      const lost = settled.filter(({ status }) => status === "rejected").length;
      assert.equal(lost, 10);
      assert.equal(proxy.requests.length, 30);
      assert.equal(await count(), 30);
      assert.equal(await cell(server, "SELECT count(DISTINCT n) FROM t"), 30);
    });

    it("an atomic batch that is checked first is applied once when the check's answer is lost", async () => {
      proxy.script("cut after request");
      const results = await db.batch([INSERT, "SELECT count(*) AS n FROM t"]);
      assert.deepEqual(results[1]?.rows, [{ n: 1 }]);
      assert.equal(await count(), 1);
      assert.equal(proxy.requests.length, 3);
    });

    it("a write that was refused for certain is sent again, and applied once", async () => {
      const body = "leader not found\n";
      const head = `HTTP/1.1 503 Service Unavailable\r\ncontent-length: ${body.length}\r\n\r\n`;
      proxy.script({ answer: head + body });
      assert.equal((await db.execute(INSERT)).rowsAffected, 1);
      assert.equal(proxy.requests.length, 2);
      assert.equal(await count(), 1);
    });
  });
}

for (const [via, open] of TRANSPORTS) {
  describe(`a write over ${via} whose answer is lost`, { skip: skipWithoutRqlited() }, () => {
    let server: Rqlited;
    let proxy: Proxy;
    let db: Client;

    before(async () => {
      server = await startRqlited();
    });

    after(async () => await server.stop());

    beforeEach(async () => {
      await server.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(n)");
      proxy = await startProxy(server.url);
      db = connect([proxy.url, proxy.url], open());
      await db.execute("INSERT INTO t SELECT 1 WHERE 0");
      proxy.reset();
    });

    afterEach(async () => {
      await db.close();
      await proxy.close();
    });

    const count = () => cell(server, "SELECT count(*) FROM t");

    for (const fault of LOST) {
      it(`"${fault}": execute() and batch() are applied once, and say so`, async () => {
        proxy.script(fault);
        assert.equal((await db.execute(INSERT)).rowsAffected, -1);
        assert.equal(proxy.requests.length, 2);
        assert.equal(await count(), 1);
        proxy.script(fault);
        const results = await db.batch([INSERT, "UPDATE t SET n = n"]);
        assert.deepEqual(results.map(({ rowsAffected }) => rowsAffected), [-1, -1]);
        assert.equal(proxy.requests.length, 2);
        assert.equal(await count(), 2);
      });

      it(`"${fault}": execute() with RETURNING is applied once, and says that its rows are lost`, async () => {
        proxy.script(fault);
        const error = await failureOf(db.execute(`${INSERT} RETURNING rowid`));
        assert.ok(error instanceof DataError, String(error));
        assert.match(error.message, /was applied/);
        assert.equal(await count(), 1);
      });
    }

    it("a write that the server never saw is applied by the copy, whose answer counts", async () => {
      proxy.script("cut before");
      assert.equal((await db.execute(INSERT)).rowsAffected, 1);
      assert.deepEqual(proxy.requests.map(({ body }) => holdsId(body)), [true, true]);
      assert.equal(proxy.requests[0]!.body, proxy.requests[1]!.body);
      assert.equal(await count(), 1);
    });

    it("a write whose server is gone afterwards may have been applied, and outcome() tells", async () => {
      const hasty = connect(proxy.url, { retries: 1, ...open() });
      await hasty.execute("INSERT INTO t SELECT 1 WHERE 0"); // on a connection that is used again
      let gone: Promise<void> | undefined;
      proxy.plan = () => {
        gone ??= proxy.refuseNew();
        return "cut after request";
      };
      const error = await failureOf(hasty.execute(INSERT));
      proxy.cutAll();
      await gone;
      await proxy.listen();
      proxy.script();
      assert.equal(await count(), 1);
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(await hasty.outcome(error.id!), "committed");
      await hasty.close();
    });

    it("many writes at once, a third of them cut, are each applied once", async () => {
      let index = 0;
      proxy.plan = () => index++ % 3 === 0 ? "cut after request" : "pass";
      const writes = Array.from(
        { length: 30 },
        (_, i) => db.execute("INSERT INTO t VALUES(?)", [i]),
      );
      for (const { rowsAffected } of await Promise.all(writes)) {
        assert.ok(rowsAffected === 1 || rowsAffected === -1);
      }
      assert.equal(await count(), 30);
      assert.equal(await cell(server, "SELECT count(DISTINCT n) FROM t"), 30);
    });
  });
}
