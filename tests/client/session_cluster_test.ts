// Sessions on three servers, of which one is held back: it answers, and applies nothing.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Client, connect, type Executor, type Session, StaleReadError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { sleep, until } from "../support/http.ts";
import { Links } from "../support/links.ts";
import { Random } from "../support/random.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { rqlitedBinary } from "../support/rqlited_binary.ts";
import { runToEnd } from "../support/run_to_end.ts";
import { nearNode } from "./near_node.ts";
import { History } from "./session_history.ts";

const CHILD = fileURLToPath(new URL("session_child.ts", import.meta.url));

/** The node that is held back; it waits so long for a leader that it never becomes one. */
const HELD = 2;

const valuesIn = async (db: Executor): Promise<unknown[]> =>
  (await db.query("SELECT v FROM t ORDER BY v", [], { rows: "array" })).rows.flat();

describe("session() on three servers", { skip: skipWithoutRqlited() || noProc() }, () => {
  let links: Links;
  let cluster: Cluster;
  let db: Client;
  let levels: string[];
  let last = 0;

  before(async () => {
    links = new Links(() =>
      cluster?.nodes.map((node) => node.running ? node.pid : undefined) ?? []
    );
    await links.open(3);
    const patient = [rqlitedBinary().heartbeatFlag, "60s", "-raft-election-timeout", "60s"];
    cluster = await startCluster(3, {
      // The other two are not to lose each other on a busy machine, and talk without what this process hands on.
      raftTimeout: 1000,
      each: (index, { raft }) =>
        index === HELD ? { args: [...patient, "-raft-adv-addr", links.address(HELD, raft)] } : {},
    });
    levels = [];
    const near = nearNode(cluster.urls[HELD]!);
    const fetch: typeof near = (input, init) => {
      const level = new URL(String(input)).searchParams.get("level");
      if (level !== null) levels.push(level);
      return near(input, init);
    };
    db = connect(cluster.urls, { fetch });
    await db.execute("CREATE TABLE t(v INTEGER PRIMARY KEY)");
    await add(db);
    await caughtUp();
  });

  after(async () => {
    await db?.close();
    await cluster?.stop();
    await links.close();
  });

  const add = async (db: Executor): Promise<number> => {
    await db.execute("INSERT INTO t VALUES(?)", [++last]);
    return last;
  };
  const hold = () => [0, 1].forEach((other) => between(other).forEach((link) => link.cut()));
  const letGo = () => [0, 1].forEach((other) => between(other).forEach((link) => link.mend()));
  const between = (other: number) => [links.link(other, HELD), links.link(HELD, other)];
  const atHeld = (): Promise<number> =>
    db.value<number>("SELECT max(v) FROM t", [], { level: "none" }) as Promise<number>;
  // It may not even have the table yet.
  const caughtUp = () =>
    until(
      "node that catches up",
      async () => await atHeld().catch(() => undefined) === last || undefined,
    );
  const levelsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    levels.length = 0;
    await work();
    return [...levels];
  };

  it("reads its writes, from the node alone where that has them", async () => {
    hold();
    const session = db.session();
    const v = await add(session);
    assert.ok(await atHeld() < v, "it is held back");
    assert.deepEqual(
      await levelsOf(async () => assert.ok((await valuesIn(session)).includes(v))),
      ["none", "weak"],
    );
    letGo();
    await caughtUp();
    assert.deepEqual(
      await levelsOf(async () => assert.ok((await valuesIn(session)).includes(v))),
      ["none"],
    );
  });

  it("goes on in another process, and comes back", async () => {
    hold();
    const session = db.session();
    const v = await add(session);
    const args = [CHILD, cluster.urls.join(), cluster.urls[HELD]!, session.bookmark];
    const { command, args: flags } = OWN_ENGINE;
    const { code, output } = await runToEnd(process.cwd(), command, [...flags, ...args]);
    assert.equal(code, 0, output);
    const { read, bookmark } = JSON.parse(output) as { read: number[]; bookmark: string };
    assert.ok(read.includes(v));
    const back = db.session(bookmark);
    assert.ok((await valuesIn(back)).includes(1000));
    assert.ok(await atHeld() < v, "it is still held back");
    letGo();
    last = 1000;
    await caughtUp();
  });

  it("never steps back, and misses no write, while the node lags and catches up; others do", async () => {
    const random = new Random(7);
    for (const table of ["with_sessions", "without"]) {
      await db.execute(`CREATE TABLE ${table}(v INTEGER PRIMARY KEY)`);
    }
    await add(db);
    await caughtUp();
    const play = async (table: string, sessions: boolean): Promise<string[]> => {
      const history = new History(random, table);
      const client = connect(cluster.urls, sessions ? {} : { level: "none" });
      const callers = Array.from({ length: 6 }, () => history.caller(client, sessions));
      let over = false;
      const disturb = (async () => {
        while (!over) {
          hold();
          await sleep(60);
          letGo();
          await sleep(20);
        }
      })();
      await Promise.all(callers.map(async (step) => {
        for (let i = 0; i < 40; i++) await step();
      }));
      over = true;
      await disturb;
      await client.close();
      return history.findings;
    };
    assert.deepEqual(await play("with_sessions", true), []);
    const found = await play("without", false);
    assert.ok(found.some((text) => text.startsWith("does not read its writes")), "unread writes");
    assert.ok(found.some((text) => text.startsWith("steps back")), "steps back");
  });

  it("remembers just what it was shown, in whatever way, while others write", async () => {
    await db.execute("CREATE TABLE counted(v INTEGER PRIMARY KEY)");
    const names = new Map<number, string>();
    const write = async (v: number): Promise<void> => {
      const session = db.session();
      await session.execute("INSERT INTO counted VALUES(?)", [v]);
      // What it has written stands behind what it has read.
      names.set(v, session.bookmark.replace("-", ""));
    };
    await add(db);
    await caughtUp();
    await write(0);
    const newest = "(SELECT max(v) FROM counted)";
    const first = () => db.value(`SELECT ${newest}`, [], { level: "none" });
    await until("first row", async () => await first() ?? undefined);
    let over = false;
    const writing = (async () => {
      for (let v = 1; !over; v++) await write(v);
    })();
    // Long enough for others to commit meanwhile.
    const slow =
      "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000) " +
      `SELECT max(i) * 0 + ${newest} FROM n`;
    const reads: readonly ((session: Session) => Promise<unknown>)[] = [
      (session) => session.value(slow),
      (session) => session.value(`SELECT ${newest}`),
      (session) => session.value(slow, [], { coalesce: false }),
      async (session) => (await session.batch([slow], { rows: "array" }))[0]!.rows.flat()[0],
      async (session) => {
        for await (const { m } of session.iterate(`SELECT ${newest} AS m FROM counted`)) return m;
      },
    ];
    const shown: [unknown, string][] = [];
    try {
      for (let round = 0; round < 10; round++) {
        await Promise.all(reads.map(async (read) => {
          const session = db.session();
          shown.push([await read(session), session.bookmark]);
        }));
      }
    } finally {
      over = true;
      await writing;
    }
    for (const [v, bookmark] of shown) assert.equal(bookmark, names.get(v as number), String(v));
  });

  it("tells another database from its own: of a bookmark, and where one was loaded", async () => {
    const backup = await new Response(await db.backup()).bytes();
    const other = connect(embedded());
    await other.execute("CREATE TABLE t(v)");
    const stranger = other.session();
    await stranger.query("SELECT 1");
    await assert.rejects(valuesIn(db.session(stranger.bookmark)), StaleReadError);
    await assert.rejects(add(db.session(stranger.bookmark)), StaleReadError);
    await other.close();

    const session = db.session();
    const v = await add(session);
    assert.ok((await valuesIn(session)).includes(v));
    await db.load(backup);
    await until("node that has loaded it", async () => await atHeld() < v || undefined);
    await assert.rejects(valuesIn(session), StaleReadError);
    const anew = db.session(session.bookmark, { strict: false });
    assert.ok(!(await valuesIn(anew)).includes(v));
    const w = await add(anew);
    assert.ok((await valuesIn(anew)).includes(w));
  });
});

function noProc(): string | false {
  return process.platform !== "linux" && "only Linux tells whose a connection is";
}
