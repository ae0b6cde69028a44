import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import {
  AuthenticationError,
  type Client,
  connect,
  ConnectionError,
  RqliteError,
  TimeoutError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

/** A statement that takes longer, the more steps it has: about a second for ten million. */
function slow(steps: number): string {
  return `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ${steps}) ` +
    "SELECT count(*) AS n FROM c";
}

/** One row of the table in docs/embedded.md, shown on both. */
interface Row {
  embedded(): Promise<void>;
  server(cluster: Cluster): Promise<void>;
}

async function within(db: Client, work: (db: Client) => Promise<void>): Promise<void> {
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

/** Which of two reads is answered first, the long one that is sent first or the short one. */
async function firstAnswer(db: Client, steps: number): Promise<string> {
  const controller = new AbortController();
  const { signal } = controller;
  const long = db.query(slow(steps), [], { level: "none", signal }).then(() => "long");
  const short = db.query("SELECT 1 AS n", [], { level: "none" }).then(() => "short");
  const first = await Promise.race([long, short]);
  controller.abort();
  await Promise.allSettled([long, short]);
  return first;
}

async function foreignKeys(db: Client): Promise<unknown> {
  return await db.value("PRAGMA foreign_keys");
}

async function works(db: Client, sql: string): Promise<boolean> {
  return await db.execute(sql).then(() => true, (error) => {
    assert.ok(error instanceof RqliteError);
    return false;
  });
}

async function altersColumns(db: Client): Promise<void> {
  await db.execute("CREATE TABLE altered(a)");
  const [, minor = "0"] = String(await db.value("SELECT sqlite_version()")).split(".");
  const altered = await works(db, "ALTER TABLE altered ALTER COLUMN a SET NOT NULL");
  assert.equal(altered, Number(minor) >= 53);
}

let folder = "";

const ROWS: Record<string, Row> = {
  "time limits": {
    embedded: () =>
      within(connect(embedded()), async (db) => {
        const reads = [slow(300_000), ...Array<string>(2000).fill(slow(10_000))];
        await assert.rejects(db.batch(reads, { timeout: 1000 }), TimeoutError);
      }),
    server: async ({ urls: [url] }) =>
      await within(connect(url!), async (db) => {
        await assert.rejects(
          db.query(slow(100_000_000), [], { level: "none", timeout: 1000 }),
          TimeoutError,
        );
      }),
  },
  "concurrency": {
    embedded: () =>
      within(connect(embedded()), async (db) => {
        assert.equal(await firstAnswer(db, 300_000), "long");
      }),
    server: async ({ urls: [url] }) =>
      await within(connect(url!, { coalesce: false }), async (db) => {
        assert.equal(await firstAnswer(db, 20_000_000), "short");
      }),
  },
  "locks": {
    embedded: async () => {
      const file = join(folder, "locked.db");
      await within(connect(embedded(file)), async (db) => {
        await db.execute("CREATE TABLE t(a)");
        const other = new DatabaseSync(file);
        other.exec("BEGIN IMMEDIATE");
        const write = db.execute("INSERT INTO t VALUES(1)");
        assert.equal(await db.value("SELECT count(*) FROM t"), 0);
        other.exec("COMMIT");
        other.close();
        await write;
      });
    },
    server: async ({ urls: [url] }) =>
      await within(connect(url!), async (db) => {
        await db.execute("CREATE TABLE t(a)");
        await Promise.all([1, 2].map((a) => db.execute("INSERT INTO t VALUES(?)", [a])));
        assert.equal(await db.value("SELECT count(*) FROM t"), 2);
      }),
  },
  "foreign keys": {
    embedded: async () => {
      await within(connect(embedded()), async (db) => assert.equal(await foreignKeys(db), 0));
      const enforcing = embedded(":memory:", { foreignKeys: true });
      await within(connect(enforcing), async (db) => assert.equal(await foreignKeys(db), 1));
    },
    server: async ({ urls: [url] }) => {
      await within(connect(url!), async (db) => assert.equal(await foreignKeys(db), 0));
      const enforcing = await startRqlited({ args: ["-fk"] });
      await within(connect(enforcing.url), async (db) => assert.equal(await foreignKeys(db), 1));
      await enforcing.stop();
    },
  },
  "SQLite": {
    embedded: () =>
      within(connect(embedded()), async (db) => {
        const known = await Promise.all([
          works(db, "SELECT sqrt(4)"),
          works(db, "SELECT soundex('a')"),
        ]);
        assert.ok(known.includes(true));
        await altersColumns(db);
      }),
    server: async ({ urls: [url] }) =>
      await within(connect(url!), async (db) => {
        assert.equal(await works(db, "SELECT sqrt(4)"), false);
        assert.equal(await works(db, "SELECT soundex('a')"), false);
        await altersColumns(db);
      }),
  },
  "users": {
    embedded: () =>
      within(connect({ ...embedded(), username: "nobody", password: "wrong" }), async (db) => {
        assert.equal(await db.value("SELECT 1"), 1);
      }),
    server: async () => {
      const server = await startRqlited({ auth: [] });
      const options = { username: "nobody", password: "wrong" };
      await within(connect(server.url, options), async (db) => {
        await assert.rejects(db.query("SELECT 1"), AuthenticationError);
      });
      await server.stop();
    },
  },
  "data": {
    embedded: async () => {
      for (const path of [":memory:", join(folder, "kept.db")]) {
        await within(connect(embedded(path)), async (db) => {
          await db.execute("CREATE TABLE kept(a)");
        });
        await within(connect(embedded(path)), async (db) => {
          assert.equal(await works(db, "SELECT * FROM kept"), path !== ":memory:");
        });
      }
    },
    server: async ({ urls: [url, other] }) => {
      await within(connect(url!), async (db) => void await db.execute("CREATE TABLE kept(a)"));
      await within(connect(other!), async (db) => {
        assert.deepEqual((await db.query("SELECT a FROM kept", [], { level: "strong" })).rows, []);
      });
    },
  },
  "read levels": {
    embedded: () =>
      within(connect(embedded()), async (db) => {
        await db.execute("CREATE TABLE t(a)");
        for (const level of ["none", "weak", "linearizable", "strong", "auto"] as const) {
          await db.execute("INSERT INTO t VALUES(?)", [level]);
          const last = "SELECT a FROM t ORDER BY rowid DESC";
          assert.equal((await db.first(last, [], { level }))?.["a"], level);
        }
      }),
    server: async (cluster) => {
      const leader = await cluster.leader();
      for (const node of cluster.nodes) if (node !== leader) await node.kill();
      await within(connect(leader.url, { retries: 0 }), async (db) => {
        assert.equal(await db.value("SELECT 1", [], { level: "none" }), 1);
        const strong = db.query("SELECT 1", [], { level: "strong", timeout: 2000 });
        await assert.rejects(strong, RqliteError);
      });
    },
  },
  "errors": {
    embedded: () =>
      within(connect(embedded()), async (db) => {
        assert.deepEqual((await db.nodes()).map((node) => [node.leader, node.reachable]), [
          [true, true],
        ]);
      }),
    server: async ({ nodes, urls: [url] }) => {
      for (const node of nodes) if (node.running) await node.kill();
      await within(connect(url!, { retries: 0 }), async (db) => {
        await assert.rejects(db.query("SELECT 1"), ConnectionError);
      });
    },
  },
};

/** The first column of the table. */
function documented(): string[] {
  const text = readFileSync(new URL("../../docs/embedded.md", import.meta.url), "utf8");
  const [, table = ""] =
    /\| what +\| embedded +\| server +\|\n\|[- |]+\|\n((?:\|.*\n)+)/.exec(text) ??
      [];
  return table.trim().split("\n").map((line) => line.split("|")[1]?.trim() ?? "");
}

describe("embedded() and a server", () => {
  let cluster: Cluster | undefined;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "embedded-"));
    if (skipWithoutRqlited() === false) cluster = await startCluster(2);
  });
  after(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("differ in what docs/embedded.md says", () => {
    assert.deepEqual(documented().sort(), Object.keys(ROWS).sort());
  });

  for (const [name, row] of Object.entries(ROWS)) {
    it(`the embedded engine is as docs/embedded.md says: ${name}`, () => row.embedded());
    // The last two stop nodes.
    it(
      `a server is as docs/embedded.md says: ${name}`,
      { skip: skipWithoutRqlited() },
      () => row.server(cluster!),
    );
  }
});
