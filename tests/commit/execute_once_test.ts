import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AuthenticationError,
  type Client,
  connect,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { pruning } from "../../src/commit/log_table.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";

interface World {
  readonly db: Client;
  readonly network: FaultyNetwork;
  /** Another client of the same database. */
  readonly other: Client;
  readonly count: () => Promise<number>;
}

type Run = (body: (world: World) => Promise<void>) => Promise<void>;

async function inWorld(
  node: typeof fetch,
  url: string,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const network = new FaultyNetwork(node);
  const db = connect(url, { fetch: network.fetch as typeof fetch, retries: 0 });
  await db.execute("DROP TABLE IF EXISTS hits");
  await db.execute("DROP TABLE IF EXISTS _rqlite_commit");
  await db.execute("CREATE TABLE hits(id TEXT, once INTEGER UNIQUE)");
  const count = async () => {
    const { rows } = await db.query<{ n: number }>("SELECT count(*) AS n FROM hits");
    return rows[0]!.n;
  };
  network.copies.length = 0;
  await body({ db, network, other: connect(url, { fetch: node }), count });
}

function suite(name: string, run: Run, options: { skip: string | false }): void {
  describe(`execute() with an id on ${name}`, options, () => {
    const hit = (db: Client, id: string, once = 1) =>
      db.execute("INSERT INTO hits VALUES(?, ?)", [id, once], { id });

    it("makes the table, applies once, and answers a repetition without doing it again", () =>
      run(async ({ db, count }) => {
        const first = await hit(db, "order-7");
        assert.equal(first.rowsAffected, 1);
        assert.equal(first.lastInsertId, 1);
        assert.equal((await hit(db, "order-7")).rowsAffected, -1);
        assert.equal(await count(), 1);
        assert.equal(await db.outcome("order-7"), "committed");
      }));

    it("refuses an id for what writes nothing, before anything is sent", () =>
      run(async ({ db, network }) => {
        const sent = network.requests.length;
        const refusal = { name: "TypeError", message: /`id`.*nothing is written.*leave it out/ };
        for (const sql of ["SELECT 1", "-- nothing", "", "EXPLAIN DELETE FROM hits"]) {
          await assert.rejects(db.execute(sql, [], { id: "a" }), refusal);
          await assert.rejects(db.batch([sql, sql], { id: "a" }), refusal);
        }
        await assert.rejects(db.batch([], { id: "a" }), refusal);
        assert.equal(network.requests.length, sent);
        assert.deepEqual((await db.execute("SELECT 1 AS n")).rows, [{ n: 1 }]);
        assert.equal((await db.execute("-- nothing")).rowsAffected, 0);
      }));

    it("holds for a batch, with reads in it, too", () =>
      run(async ({ db, count }) => {
        const batch = () =>
          db.batch(["INSERT INTO hits VALUES('a', 1)", "SELECT count(*) AS n FROM hits"], {
            id: "a",
          });
        assert.deepEqual((await batch())[1]!.rows, [{ n: 1 }]);
        assert.deepEqual((await batch()).map(({ rowsAffected }) => rowsAffected), [-1, -1]);
        assert.equal(await count(), 1);
        assert.equal(await db.outcome("a"), "committed");
      }));

    it("returns the rows of RETURNING", () =>
      run(async ({ db, count }) => {
        const sql = "INSERT INTO hits VALUES(?, ?) RETURNING once AS n";
        assert.deepEqual((await db.execute(sql, ["a", 5], { id: "a" })).rows, [{ n: 5 }]);
        await assert.rejects(db.execute(sql, ["b", 5], { id: "b" }), IntegrityError);
        await db.execute("DELETE FROM hits");
        await db.execute(sql, ["a", 5], { id: "a" });
        assert.equal(await count(), 0);
      }));

    it("settles a lost answer: applied by the first copy, or never", () =>
      run(async ({ db, network, count }) => {
        let sent = 0;
        network.plan = () => sent++ === 0 ? "lose answer" : "pass";
        assert.equal((await hit(db, "a")).rowsAffected, -1);
        assert.equal(await count(), 1);
        sent = 0;
        network.plan = () => sent++ === 0 ? "delay" : "pass";
        await assert.rejects(hit(db, "b", 2), (error: OperationalError) => {
          assert.ok(error instanceof OperationalError && !(error instanceof OutcomeUnknownError));
          return error.retryable;
        });
        for (const copy of network.copies) await network.deliver(copy);
        assert.equal(await count(), 1);
      }));

    it("reports a doubled request as applied, once", () =>
      run(async ({ db, network, count }) => {
        network.plan = () => "double";
        assert.equal((await hit(db, "a")).rowsAffected, -1);
        assert.equal(await count(), 1);
      }));

    it("says that the outcome is unknown where no request is answered, with the id to ask later", () =>
      run(async ({ db, network, count }) => {
        await hit(db, "first", 9);
        network.plan = () => "delay";
        const error = await hit(db, "a").then(() => assert.fail(), (error: unknown) => error);
        assert.ok(error instanceof OutcomeUnknownError);
        assert.equal(error.id, "a");
        assert.equal(error.retryable, false);
        network.plan = () => "pass";
        const [, commit] = network.copies;
        await network.deliver(commit!);
        assert.equal(await db.outcome("a"), "committed");
        assert.equal(await count(), 2);
      }));

    it("keeps a refusal: a copy that lands after the row that refused it went away", () =>
      run(async ({ db, network, count }) => {
        await db.execute("INSERT INTO hits VALUES('other', 1)");
        await assert.rejects(hit(db, "a"), IntegrityError);
        await db.execute("DELETE FROM hits");
        for (const copy of network.copies) await network.deliver(copy);
        assert.equal(await count(), 0);
        await assert.rejects(hit(db, "a"), /is spent/);
        assert.equal(await db.outcome("a"), "not committed");
      }));

    it("refuses a copy that lands after outcome() said no", () =>
      run(async ({ db, network, count }) => {
        await hit(db, "first", 9);
        network.plan = () => "delay";
        await assert.rejects(hit(db, "a"), OutcomeUnknownError);
        network.plan = () => "pass";
        assert.equal(await db.outcome("a"), "not committed");
        for (const copy of network.copies) await network.deliver(copy);
        assert.equal(await count(), 1);
        assert.equal(await db.outcome("a"), "not committed");
      }));

    it("refuses a copy that lands after its row was pruned", () =>
      run(async ({ db, network, count }) => {
        await hit(db, "a");
        await db.execute("DELETE FROM _rqlite_commit");
        const answers = await Promise.all(network.copies.map((copy) => network.deliver(copy)));
        assert.ok(answers.some((text) => text.includes("_rqlite_commit_expired")), answers.join());
        assert.equal(await count(), 1);
        assert.equal(await db.outcome("a"), "unknown");
      }));

    it("refuses a copy that was fenced before an older backup was restored and all of its range was pruned", () =>
      run(async ({ db, network, count }) => {
        await hit(db, "first", 9);
        network.plan = () => "delay";
        await assert.rejects(hit(db, "a"), OutcomeUnknownError);
        network.plan = () => "pass";
        assert.equal(await db.outcome("a"), "not committed");
        // What a restore of an older backup does: the fence and the sequence go back.
        await db.batch([
          "DELETE FROM _rqlite_commit WHERE id = 'a'",
          "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = '_rqlite_commit'",
        ]);
        const { rows: [log] } = await db.query<{ seq: number }>(
          "SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'",
        );
        const floor = Math.max(Date.now() * 1024, log!.seq + 2 ** 20);
        const statements = pruning(floor + 100_000).map(({ sql, params }) => ({
          sql,
          params,
        }));
        await db.batch(statements);
        for (const copy of network.copies) await network.deliver(copy);
        assert.equal(await count(), 1);
      }));

    it("makes a dropped table again, and never applies what was under way before", () =>
      run(async ({ db, network, other, count }) => {
        await hit(db, "first", 9);
        network.plan = () => "delay";
        await assert.rejects(hit(db, "a"), OutcomeUnknownError);
        await other.execute("DROP TABLE _rqlite_commit");
        network.plan = () => "pass";
        const error = await hit(db, "b", 2).then(() => undefined, (error: unknown) => error);
        assert.ok(error instanceof OutcomeUnknownError, String(error));
        await hit(db, "c", 3);
        for (const copy of network.copies) await network.deliver(copy);
        assert.equal(await count(), 2);
      }));

    it("refuses a statement that names the table of commits, and an id that is none", () =>
      run(async ({ db }) => {
        const own = db.execute('DELETE FROM "_rqlite_commit"', [], { id: "a" });
        await assert.rejects(own, NotSupportedError);
        await assert.rejects(db.execute("DELETE FROM hits", [], { id: "" }), RangeError);
        for (const id of ["", "a".repeat(201)]) await assert.rejects(db.outcome(id), RangeError);
        const number = 7 as unknown as string;
        await assert.rejects(db.execute("DELETE FROM hits", [], { id: number }), TypeError);
      }));
  });
}

suite("the embedded engine", async (body) => {
  const engine = embedded();
  await inWorld(engine.fetch, "http://embedded:4001", body);
  engine.close();
}, { skip: false });

suite("rqlited", async (body) => {
  const server = await startRqlited();
  try {
    await inWorld(fetch, server.url, body);
  } finally {
    await server.stop();
  }
}, { skip: skipWithoutRqlited() });

describe("execute() with an id without the right to make tables", () => {
  it("says what an administrator has to run", async () => {
    const engine = embedded();
    const guarded = (input: string | URL | Request, init?: RequestInit) => {
      if (!String(init?.body).includes("CREATE TABLE IF NOT EXISTS")) {
        return engine.fetch(input, init);
      }
      return scriptedFetch([{ status: 401, body: "unauthorized" }])(input, init);
    };
    const db = connect({ fetch: guarded as typeof fetch });
    const admin = connect({ fetch: engine.fetch, exactlyOnce: false });
    await admin.execute("CREATE TABLE t(a)");
    const write = () => db.execute("INSERT INTO t VALUES(1)", [], { id: "a" });
    const error = await write().then(() => assert.fail(), (error: unknown) => error);
    assert.ok(error instanceof AuthenticationError);
    const script = error.message.slice(error.message.indexOf("CREATE TABLE"));
    for (const sql of script.split(";").filter((sql) => sql.trim() !== "")) {
      await admin.execute(sql);
    }
    assert.equal((await write()).rowsAffected, 1);
    engine.close();
  });
});
