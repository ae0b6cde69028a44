// An id of the caller's own stands for one call: the same statements with the same values.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  type Param,
  ProgrammingError,
  sql,
  type Statement,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { oldCreation, oldEnter } from "./old_log.ts";

interface World {
  readonly db: Client;
  /** A client that asks once, by a network that does what a test says. */
  readonly lossy: Client;
  /** Another client of the same database. */
  readonly other: Client;
  /** What its requests meet. */
  readonly network: FaultyNetwork;
  /** Ends the server and starts it again; a client that knows nothing of what was. */
  restart(): Promise<Client>;
}

type Run = (body: (world: World) => Promise<void>) => Promise<void>;

function lossy(url: string, network: FaultyNetwork): Pick<World, "lossy" | "network"> {
  return { network, lossy: connect(url, { fetch: network.fetch as typeof fetch, retries: 0 }) };
}

const onEmbedded: Run = async (body) => {
  const folder = mkdtempSync(`${tmpdir()}/rqlite-`);
  const engines = [embedded(`${folder}/db`)];
  const open = () => connect({ fetch: engines.at(-1)!.fetch });
  const restart = () => {
    engines.at(-1)!.close();
    engines.push(embedded(`${folder}/db`));
    return Promise.resolve(open());
  };
  try {
    const network = new FaultyNetwork(engines[0]!.fetch);
    await body({ db: open(), other: open(), ...lossy("http://embedded:4001", network), restart });
  } finally {
    engines.at(-1)!.close();
    rmSync(folder, { recursive: true });
  }
};

const onServer: Run = async (body) => {
  const server = await startRqlited();
  const restart = async () => {
    await server.kill();
    await server.restart();
    return connect(server.url);
  };
  try {
    const { url } = server;
    const network = new FaultyNetwork(fetch);
    await body({ db: connect(url), other: connect(url), ...lossy(url, network), restart });
  } finally {
    await server.stop();
  }
};

/** Values that are told apart, each in the forms that stand for the same call. */
const VALUES: readonly (readonly Param[])[] = [
  [1, 1n],
  [0],
  [-1, -1n],
  ["1"],
  [true],
  [false],
  [null],
  ["null"],
  [""],
  [1.5],
  ["1.5"],
  [-0],
  [9007199254740993n],
  ["a\0b"],
  ["a"],
  [new Uint8Array([49]), new Uint8Array([49]).buffer, new DataView(new Uint8Array([49]).buffer)],
  [new Uint8Array([0, 49]).subarray(1), new Uint8Array([49])],
  [new Uint8Array()],
  [new Date(0), new Date("1970-01-01T00:00:00Z")],
];

const INSERT = "INSERT INTO t VALUES(?)";
const A: Statement = ["INSERT INTO t VALUES(?)", "a"];
const B: Statement = ["INSERT INTO t VALUES(?)", "b"];

/** Calls that stand for the same, by lists; between the lists they differ. */
const CALLS: readonly (readonly (readonly Statement[])[])[] = [
  [[A, B], [{ sql: INSERT, params: ["a"] }, sql`INSERT INTO t VALUES(${"b"})`]],
  [[B, A]],
  [[A]],
  [[A, B, B]],
  [[A, "INSERT INTO t VALUES('b')"]],
  [[["INSERT INTO t VALUES(?)  ", "a"], B]],
  [[[INSERT, "ab"]]],
  [[["INSERT INTO t VALUES(:a)", { a: "a" }], B]],
  [[["INSERT INTO t SELECT :a || :b", { a: "a", b: "b" }]], [[
    "INSERT INTO t SELECT :a || :b",
    { b: "b", a: "a" },
  ]]],
  [[["INSERT INTO t SELECT :a || :b", { a: "b", b: "a" }]]],
];

async function refuses(call: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof ProgrammingError, `${what}: ${error}`);
    assert.match(error.message, /its id "k\d*" was used for another statement or other values/);
    return true;
  });
}

function suite(name: string, run: Run, skip: string | false): void {
  describe(`an id that was used before, on ${name}`, { skip }, () => {
    const test = (
      title: string,
      body: (world: World & { count(): Promise<number> }) => Promise<void>,
    ) =>
      it(title, () =>
        run(async (world) => {
          const { db, other } = world;
          await db.execute("CREATE TABLE t(a)");
          const count = async () =>
            (await other.query<{ n: number }>("SELECT count(*) AS n FROM t")).rows[0]!.n;
          await body({ ...world, count });
        }));

    test("execute() tells values of every type apart, and takes the same again", async ({ db, other, count }) => {
      const kinds = VALUES.map((same) => same[0]!);
      for (const [i, same] of VALUES.entries()) {
        const id = `k${i}`;
        assert.equal((await db.execute(INSERT, [same[0]!], { id })).rowsAffected, 1);
        for (const value of same) {
          assert.equal((await other.execute(INSERT, [value], { id })).rowsAffected, -1, id);
        }
        // Number 16 is the bytes of 15 in another form.
        for (const [k, value] of kinds.entries()) {
          if (k === i || (k === 15 && i === 16) || (k === 16 && i === 15)) continue;
          await refuses(other.execute(INSERT, [value], { id }), `${id} for ${k}`);
        }
      }
      assert.equal(await count(), VALUES.length);
    });

    test("execute() tells texts and the number of values apart", async ({ db, count }) => {
      const write = (text: string, params: Param[]) => db.execute(text, params, { id: "k" });
      await write("INSERT INTO t SELECT ?1", [1]);
      await refuses(write("INSERT INTO t SELECT ?1 + 0", [1]), "text");
      await refuses(write("INSERT INTO t SELECT 1", []), "no value");
      await refuses(write("DELETE FROM t", []), "verb");
      await refuses(write("CREATE TABLE u(a)", []), "DDL");
      await refuses(write("INSERT INTO t SELECT ?1 RETURNING a", [1]), "RETURNING");
      assert.equal(await count(), 1);
      assert.equal((await write("INSERT INTO t SELECT ?1", [1])).rowsAffected, -1);
    });

    test("batch() tells statements, their order and their values apart", async ({ db, other, count }) => {
      let rows = 0;
      for (const [i, same] of CALLS.entries()) {
        const id = `k${i}`;
        const results = await db.batch(same[0]!, { id });
        rows += results.reduce((sum, { rowsAffected }) => sum + rowsAffected, 0);
        for (const call of same) {
          for (const { rowsAffected } of await other.batch(call, { id })) {
            assert.equal(rowsAffected, -1, id);
          }
        }
        for (const [k, [call]] of CALLS.entries()) {
          if (k !== i) await refuses(other.batch(call!, { id }), `${id} for ${k}`);
        }
      }
      assert.equal(await count(), rows);
    });

    test("an id is one for execute(), batch(), and what a transaction has used", async ({ db, other, count }) => {
      await db.execute(INSERT, ["a"], { id: "k" });
      await refuses(other.batch([A, B], { id: "k" }), "batch");
      await db.batch([A, B], { id: "k2" });
      await refuses(other.execute(INSERT, ["a"], { id: "k2" }), "execute");
      let id = "";
      await db.transaction(async (tx) => {
        await tx.execute(INSERT, ["a"]);
        id = tx.id;
      });
      await assert.rejects(other.execute(INSERT, ["a"], { id }), ProgrammingError);
      assert.equal(await count(), 4);
    });

    test("calls at the same moment: one takes effect, the others are told", async ({ db, other, count }) => {
      const calls = [db, other].flatMap((client) =>
        ["a", "b"].map((value) => client.execute(INSERT, [value], { id: "k" }))
      );
      const settled = await Promise.allSettled(calls);
      const told = settled.map((one) =>
        one.status === "rejected" ? one.reason.name : one.value.rowsAffected
      );
      const expected = [1, -1, "ProgrammingError", "ProgrammingError"];
      assert.deepEqual(told.map(String).toSorted(), expected.map(String).toSorted());
      assert.equal(await count(), 1);
    });

    test("a call whose answers are lost is told like any other", async ({ db, lossy, network, count }) => {
      await db.execute(INSERT, ["a"], { id: "k" });
      await lossy.execute(INSERT, ["c"]); // what it has to know of the database is known
      let sent = 0;
      network.plan = () => sent++ === 0 ? "lose answer" : "pass";
      await refuses(lossy.execute(INSERT, ["b"], { id: "k" }), "values");
      sent = 0;
      assert.equal((await lossy.execute(INSERT, ["a"], { id: "k" })).rowsAffected, -1);
      assert.ok(sent > 1, "the first answer was lost");
      assert.equal(await count(), 2);
    });

    test("an id keeps what it stands for over a restart", async ({ db, restart }) => {
      await db.execute(INSERT, ["a"], { id: "k" });
      await db.batch([A, B], { id: "k2" });
      const later = await restart();
      assert.equal((await later.execute(INSERT, ["a"], { id: "k" })).rowsAffected, -1);
      await refuses(later.execute(INSERT, ["b"], { id: "k" }), "values");
      await refuses(later.batch([B, A], { id: "k2" }), "order");
      assert.equal((await later.query<{ n: number }>("SELECT count(*) AS n FROM t")).rows[0]!.n, 3);
      assert.equal(await later.outcome("k"), "committed");
    });

    test("an id of an older client, which kept no hash, is refused, and stays committed", async ({ db, other, count }) => {
      const plainly = { exactlyOnce: false };
      await db.execute("DROP TABLE IF EXISTS _rqlite_commit", [], plainly);
      for (const { sql, params } of oldCreation(Date.now())) {
        await db.execute(sql, params as [], plainly);
      }
      const { rows: [log] } = await db.query<{ seq: number }>("SELECT seq FROM sqlite_sequence");
      const { sql: text, params } = oldEnter({ id: "k", base: log!.seq, minted: false });
      await db.batch([[text, ...params as []], A], plainly);
      for (const value of ["a", "b"]) {
        await refuses(other.execute(INSERT, [value], { id: "k" }), value);
      }
      assert.equal(await other.outcome("k"), "committed");
      assert.equal(await count(), 1);
    });
  });
}

suite("the embedded engine", onEmbedded, false);
suite("rqlited", onServer, skipWithoutRqlited());
