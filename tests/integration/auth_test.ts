import assert from "node:assert/strict";
import { inspect } from "node:util";
import { after, before, beforeEach, describe, it } from "node:test";
import { AuthenticationError, type Client, connect, OutcomeUnknownError } from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, closing, failureOf, type Recorder, recorder } from "./helpers.ts";

const APP = { username: "app", password: "sésame: öffne 1", perms: ["query", "execute"] };
const READER = { username: "reader", password: "r", perms: ["query"] };
const WRONG = { username: APP.username, password: "wr0ng-passw0rd" };

describe("authentication", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let wire: Recorder;

  before(async () => {
    server = await startRqlited({ auth: [APP, READER] });
  });

  after(async () => await server.stop());

  beforeEach(async () => {
    await server.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(n)");
    wire = recorder();
  });

  const count = () => cell(server, "SELECT count(*) FROM t");

  it("works with the user in the options and with the one in the URL", async () => {
    const { username, password } = APP;
    await closing(connect(server.url, { username, password }), async (db) => {
      await db.execute("INSERT INTO t VALUES(1)");
    });
    const url = new URL(server.url);
    url.username = encodeURIComponent(username);
    url.password = encodeURIComponent(password);
    await closing(connect(url.href, { fetch: wire.fetch }), async (db) => {
      assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
    });
    assert.ok(wire.sent.every(({ url }) => url.password === "" && !url.href.includes("@")));
  });

  it("a wrong password is an AuthenticationError without another attempt, on any node", async () => {
    const options = { username: WRONG.username, password: WRONG.password, fetch: wire.fetch };
    await closing(connect([server.url, server.url], options), async (db) => {
      const calls = [
        () => db.query("SELECT 1"),
        () => db.execute("INSERT INTO t VALUES(1)", [], { exactlyOnce: true }),
        () => db.batch(["INSERT INTO t VALUES(1)", "SELECT 1"], { exactlyOnce: true }),
        () => db.execute("DELETE FROM t", [], { exactlyOnce: false }),
        () => db.batch(["DELETE FROM t", "SELECT 1"], { exactlyOnce: false }),
      ];
      for (const call of calls) {
        wire.sent.length = 0;
        const error = await failureOf(call());
        assert.ok(error instanceof AuthenticationError, String(error));
        assert.equal(error.status, 401);
        assert.equal(error.retryable, false);
        assert.equal(error.node, server.url);
        assert.ok(!inspect(error, { depth: 9 }).includes(WRONG.password));
        assert.equal(wire.sent.length, 1);
      }
    });
    assert.equal(await count(), 0);
  });

  it("a wrong password is an AuthenticationError, also where a write tries what the account may do", async () => {
    const options = { username: WRONG.username, password: WRONG.password, fetch: wire.fetch };
    await closing(connect([server.url, server.url], options), async (db) => {
      const error = await failureOf(db.execute("INSERT INTO t VALUES(1)"));
      assert.ok(error instanceof AuthenticationError, String(error));
      assert.equal(error.status, 401);
      assert.equal(error.retryable, false);
    });
    // What commits need, what an INSERT leaves to the schema, and the write itself.
    assert.ok(wire.sent.length <= 3, String(wire.sent.length));
    assert.equal(await count(), 0);
  });

  it("a wrong password and a missing permission are told apart as soon as they can be", async () => {
    const { username, password } = READER;
    const told = async (db: Client): Promise<string[]> => {
      const calls = [() => db.query("SELECT 1"), () => db.nodes(), () => db.ready()];
      const answers: string[] = [];
      for (const call of calls) {
        answers.push(await call().then(() => "answered", ({ message }: Error) => message));
      }
      return answers;
    };
    const perhaps = (endpoint: string, permission: string) =>
      `Cannot use ${endpoint} of ${server.url}: the user name or the password is wrong, ` +
      `or the user lacks the permission ${permission}`;
    const lacks = (endpoint: string, permission: string) =>
      `Cannot use ${endpoint} of ${server.url} as the user lacks the permission ${permission}: ` +
      "others were granted with this password";
    await closing(connect(server.url, WRONG), async (db) => {
      assert.deepEqual(await told(db), [
        perhaps("/db/query", "query"),
        perhaps("/nodes", "status"),
        perhaps("/readyz", "ready"),
      ]);
    });
    await closing(connect(server.url, { username, password }), async (db) => {
      assert.deepEqual(await told(db), [
        "answered",
        lacks("/nodes", "status"),
        lacks("/readyz", "ready"),
      ]);
    });
  });

  it("no user at all is an AuthenticationError", async () => {
    await closing(connect(server.url), async (db) => {
      await assert.rejects(db.query("SELECT 1"), {
        name: "AuthenticationError",
        message:
          `Cannot use /db/query of ${server.url} without a user: set \`username\` and \`password\``,
      });
    });
  });

  it("credentials() is asked once more after a 401, and then it works", async () => {
    let asked = 0;
    const credentials = () => Promise.resolve(asked++ === 0 ? WRONG : APP);
    const options = { credentials, fetch: wire.fetch, exactlyOnce: false };
    await closing(connect(server.url, options), async (db) => {
      assert.equal((await db.execute("UPDATE t SET n = 1")).rowsAffected, 0);
    });
    assert.equal(asked, 2);
    assert.deepEqual(wire.sent.map(({ status }) => status), [401, 200]);
  });

  it("credentials() is asked once more after a 401 while a write asks what it needs", async () => {
    let asked = 0;
    const credentials = () => Promise.resolve(asked++ === 0 ? WRONG : APP);
    await closing(connect(server.url, { credentials, fetch: wire.fetch }), async (db) => {
      assert.equal((await db.execute("INSERT INTO t VALUES(1)")).rowsAffected, 1);
    });
    const statuses = wire.sent.map(({ status }) => status);
    assert.deepEqual(statuses, [401, ...Array(statuses.length - 1).fill(200)]);
    assert.equal(await count(), 1);
  });

  it("credentials() that stay wrong are asked for twice, and no more", async () => {
    let asked = 0;
    const credentials = () => Promise.resolve({ ...WRONG, asked: asked++ });
    const calls = { exactlyOnce: true };
    await closing(connect(server.url, { credentials, fetch: wire.fetch }), async (db) => {
      await assert.rejects(db.execute("INSERT INTO t VALUES(1)", [], calls), AuthenticationError);
      assert.equal(asked, 2);
      assert.equal(wire.sent.length, 2);
      await assert.rejects(db.execute("DELETE FROM t", [], { exactlyOnce: false }), {
        name: "AuthenticationError",
      });
    });
    assert.equal(asked, 4);
    assert.equal(wire.sent.length, 4);
  });

  it("calls at the same time share one ask", async () => {
    let asked = 0;
    const credentials = async () => {
      asked++;
      await sleep(20);
      return APP;
    };
    const options = {
      credentials,
      fetch: wire.fetch,
      level: "weak" as const,
      coalesce: false,
    };
    await closing(connect(server.url, options), async (db) => {
      await Promise.all(Array.from({ length: 8 }, (_, i) => db.query("SELECT ?", [i])));
      assert.equal(asked, 1);
      await db.query("SELECT 1");
      assert.equal(asked, 2, "kept for no longer than the calls that share it");
    });
    assert.equal(wire.sent.length, 9);
  });

  it("credentials() that fail are an AuthenticationError with the cause, and nothing is sent", async () => {
    const sealed = new Error("the vault is sealed");
    const credentials = () => Promise.reject(sealed);
    await closing(connect(server.url, { credentials, fetch: wire.fetch }), async (db) => {
      for (const call of [db.query("SELECT 1"), db.execute("INSERT INTO t VALUES(1)")]) {
        const error = await failureOf(call);
        assert.ok(error instanceof AuthenticationError, String(error));
        assert.equal(error.cause, sealed);
      }
    });
    assert.deepEqual(wire.sent, []);
  });

  it("a user who may only read reads, and cannot write", async () => {
    const { username, password } = READER;
    const options = { username, password, fetch: wire.fetch };
    await closing(connect(server.url, options), async (db) => {
      assert.deepEqual((await db.query("SELECT count(*) AS n FROM t")).rows, [{ n: 0 }]);
      for (const sql of ["INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(1) RETURNING n"]) {
        wire.sent.length = 0;
        const error = await failureOf(db.execute(sql));
        assert.ok(error instanceof AuthenticationError, String(error));
        assert.ok(!(error instanceof OutcomeUnknownError));
        assert.match(error.message, /lacks the permission (query and )?execute: /);
        const writes = wire.sent.filter(({ body }) => body.includes("INSERT INTO t "));
        assert.equal(writes.length, 1);
      }
    });
    assert.equal(await count(), 0);
  });
});
