// Each message of docs/troubleshooting.md, from what it is said to be about.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { type Client, connect, type ConnectOptions, sql } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { rqlite } from "../../src/hono/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { migrate } from "../../src/migrate/mod.ts";
import { honoContext } from "../support/hono_context.ts";

/** What a program without types may do. */
type Untyped = Record<"query" | "execute", (...args: unknown[]) => Promise<unknown>>;

/** Rejects or throws with the message. */
type Provoke = () => unknown;

const PAGE = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");

/** The messages of the page, each in front of its item. */
function documented(): string[] {
  return [...PAGE.matchAll(/^- (`+) ?([^]*?) ?\1/gm)].map(([, , text = ""]) =>
    text.replace(/\s+/g, " ")
  );
}

/** `…` stands for anything. */
function pattern(message: string): RegExp {
  const parts = message.split("…").map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}`);
}

/** With a table of one row. */
async function inDatabase(
  use: (db: Client & Untyped) => unknown,
  options?: ConnectOptions,
): Promise<void> {
  const db = connect({ ...embedded(), ...options });
  try {
    await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)");
    await db.execute("INSERT INTO t VALUES(1, 1)");
    await use(db as Client & Untyped);
  } finally {
    await db.close();
  }
}

/** Reads from a server that always does the same. */
function reading(serve: () => Response | Promise<Response>, options?: ConnectOptions): Provoke {
  return () =>
    connect({ retries: 0, fetch: async () => await serve(), ...options }).query("SELECT 1");
}

function answering(status: number, body: string, headers?: HeadersInit): Provoke {
  return reading(() => new Response(body, { status, ...(headers && { headers }) }));
}

/** As `fetch` of Node and Bun says why nothing was sent. */
function unreachable(reason: string, code: string): Provoke {
  const cause = Object.assign(new Error(reason), { code });
  return reading(() => Promise.reject(new TypeError("fetch failed", { cause })));
}

/** A client whose answers to writes are lost, with the table `t`. */
async function losing(use: (db: Client) => unknown): Promise<void> {
  const engine = embedded();
  await connect({ fetch: engine.fetch }).execute("CREATE TABLE t(id)");
  const db = connect({
    ...engine,
    timeout: 1_000,
    retries: 0,
    fetch: async (input, init) => {
      const response = await engine.fetch(input, init);
      if (String(input).includes("/db/execute")) throw new TypeError("reset");
      return response;
    },
  });
  try {
    await use(db);
  } finally {
    await db.close();
  }
}

async function inFolder(use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "troubleshooting-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function onLockedFile(folder: string): Promise<void> {
  const path = join(folder, "app.db");
  const db = connect(embedded(path));
  await db.execute("CREATE TABLE t(id)");
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  try {
    await db.execute("INSERT INTO t VALUES(1)", [], { timeout: 500 });
  } finally {
    other.close();
    await db.close();
  }
}

/** A handler that answers, and goes on. */
async function afterTheAnswer(db: Client): Promise<void> {
  let given: unknown;
  await rqlite(db, { transaction: true })(honoContext((value) => given = value), async () => {});
  await (given as Client).query("SELECT 1");
}

/** Of what no short test can do; each has another test. */
const ELSEWHERE: readonly string[] = [
  "…; not repeated, as the client has spent its budget of repeats: too many calls fail",
  "Cannot take the call as … others of this client wait for the database: await some of them first",
  "Cannot run the embedded engine as node:sqlite is too old here: Node must be 22.16 or newer",
  "The lock … was lost: …",
];

const A_MIGRATION = { name: "0001_a", sql: "CREATE TABLE a(x)" };

/** By the messages of the page. */
const PROVOKED: Readonly<Record<string, Provoke>> = {
  "Cannot reach …: … Connection refused": unreachable("tcp Connection refused", "ECONNREFUSED"),
  "Cannot reach …: … failed to lookup address information": unreachable(
    "dns error: failed to lookup address information",
    "ENOTFOUND",
  ),
  "Cannot reach …: …certificate…": unreachable("certificate has expired", "CERT_HAS_EXPIRED"),
  "Cannot reach …: it seems to speak TLS on this port, write https://": answering(
    400,
    "Client sent an HTTP request to an HTTPS server.\n",
  ),
  "Cannot connect to … as it is not an http:// or https:// URL, such as http://localhost:4001":
    () => connect("localhost:4001"),
  "… answered 404: is it rqlite's HTTP address?": answering(404, "not found"),
  "Cannot read the answer of …: …": answering(200, "<html>Welcome</html>"),
  "Cannot use the redirect of …, as it leads away from the cluster: is it a proxy that asks for a login?":
    answering(302, "", { location: "https://login.example/" }),
  "Lost the connection to … before its answer was complete: …": reading(() =>
    Promise.reject(new TypeError("reset"))
  ),
  "Cannot use … without a user: set `username` and `password`": answering(401, "Unauthorized"),
  "Cannot use …: the user name or the password is wrong, or the user lacks the permission …":
    reading(
      () => new Response("Unauthorized", { status: 401 }),
      { username: "ada", password: "secret" },
    ),
  '… could not do it: "leader not found"': answering(503, "leader not found"),
  "No complete answer from … in time": () =>
    connect({
      retries: 0,
      timeout: 1_000,
      fetch: (_, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
        }),
    }).query("SELECT 1"),
  "Out of time before the request was sent": async () => {
    const headers = { "retry-after": "60" };
    const fetch = () => Promise.resolve(new Response("leader not found", { status: 503, headers }));
    const db = connect({ retries: 0, fetch });
    await assert.rejects(db.query("SELECT 1"));
    await db.query("SELECT 1", [], { timeout: 5_000 });
  },
  "Out of time before the request was begun: another process or connection has locked the file of the embedded database":
    () => inFolder(onLockedFile),
  "Cannot take the answer of … as it is longer than `maxResponseSize`, … bytes": () =>
    inDatabase((db) => db.query("SELECT hex(zeroblob(50000))"), { maxResponseSize: 10_000 }),
  "The client is closed: connect() makes another one": () =>
    inDatabase(async (db) => {
      await db.close();
      await db.query("SELECT 1");
    }),
  'Cannot tell whether the write was applied: ask outcome("…") later': () =>
    losing((db) => db.execute("INSERT INTO t VALUES(1)")),
  "Cannot tell whether the write was applied, as the answer of … was lost": () =>
    losing((db) => db.execute("INSERT INTO t VALUES(1)", [], { exactlyOnce: false })),
  "The write was applied, but …": () =>
    inDatabase((db) => db.execute("INSERT INTO t(n) VALUES(2) RETURNING 9e999")),
  "Cannot apply the write as its id … was used for another statement or other values": () =>
    inDatabase(async (db) => {
      await db.execute("INSERT INTO t(n) VALUES(2)", [], { id: "one" });
      await db.execute("INSERT INTO t(n) VALUES(3)", [], { id: "one" });
    }),
  "Cannot enter the write in the table _rqlite_commit, so it was not applied: …": async () => {
    const db = connect(embedded());
    await db.execute("CREATE VIEW _rqlite_commit AS SELECT 1", [], { exactlyOnce: false });
    await db.execute("CREATE TABLE t(id)").finally(() => db.close());
  },
  "Cannot bind … as the statement has … placeholder": () =>
    inDatabase((db) => db.query("SELECT ?, ?", [1])),
  "Cannot bind a list as the statement names its parameters …: give an object of names": () =>
    inDatabase((db) => db.query("SELECT :a", [1])),
  "Cannot run the statement without values for …": () =>
    inDatabase((db) => db.query("SELECT :a, :b", { a: 1 })),
  "Cannot bind parameter … as it is undefined: bind null for NULL": () =>
    inDatabase((db: Untyped) => db.query("SELECT ?", [undefined])),
  "Cannot bind parameter … as it is an array: use sql.list() for IN (…)": () =>
    inDatabase((db: Untyped) => db.query("SELECT * FROM t WHERE id IN (?)", [[1, 2]])),
  "Cannot make a list of no values as SQL has no empty list: test for it first": () => sql.list([]),
  "Cannot bind parameter … as it is an object: bind text, such as JSON.stringify() of it": () =>
    inDatabase((db: Untyped) => db.query("SELECT ?", [{ a: 1 }])),
  "Cannot return … of column … as a number without losing digits": () =>
    inDatabase((db) => db.query("SELECT 9007199254740993 AS n")),
  "Cannot return Infinity, as the server cannot send it": () =>
    inDatabase((db) => db.query("SELECT 9e999 AS n")),
  "Cannot put a fragment into a plain string as its values would be lost": () => `${sql`SELECT 1`}`,
  "Cannot read a statement with `args`: its text is named `sql`, its values `params`": () =>
    inDatabase((db: Untyped) => db.query({ sql: "SELECT ?", args: [1] })),
  "Cannot query with … as it changes the database: call execute() instead": () =>
    inDatabase((db) => db.query("DELETE FROM t")),
  "Cannot send … statements in one string as a node would run only some of them": () =>
    inDatabase((db) => db.execute("DELETE FROM t; DELETE FROM t")),
  "Cannot send BEGIN as requests share one connection per node": () =>
    inDatabase((db) => db.execute("BEGIN")),
  "Cannot send PRAGMA … as it would change the node for all its clients": () =>
    inDatabase((db) => db.execute("PRAGMA foreign_keys = ON")),
  "Cannot send CREATE of something temporary …": () =>
    inDatabase((db) => db.execute("CREATE TEMP TABLE mine(id)")),
  "Cannot send random() … of a write as all rows would get the same value": () =>
    inDatabase((db) => db.execute("UPDATE t SET n = random()")),
  "Cannot send last_insert_rowid() as each node would answer it by itself": () =>
    inDatabase((db) => db.query("SELECT last_insert_rowid()")),
  "Cannot use `…` as there is no such option: …": () =>
    inDatabase((db: Untyped) => db.query("SELECT 1", [], { consistency: "weak" })),
  "Cannot iterate by rowid as this is not a plain SELECT from one table with rowids": () =>
    inDatabase((db) => db.iterate("SELECT n, count(*) FROM t GROUP BY n").next()),
  "Cannot insert row … as it lacks …: give all rows the keys of the first, null for NULL": () =>
    inDatabase((db) => db.insertMany("t", [{ n: 1 }, { id: 1 }])),
  "… does not hold any more, so nothing of it was kept: run it again": () =>
    inDatabase((db) =>
      db.transaction(async (tx) => {
        await tx.query("SELECT n FROM t");
        await db.execute("UPDATE t SET n = n + 1");
        await tx.execute("UPDATE t SET n = 0");
      }, { retries: 0 })
    ),
  "The transaction is …: await what uses it before it ends, or begin() another one": () =>
    inDatabase(async (db) => {
      const tx = await db.begin();
      await tx.rollback();
      await tx.query("SELECT 1");
    }),
  "Nothing was kept, as the transaction did not get its turn in its time": () =>
    inDatabase((db) =>
      db.transaction(async (tx) => {
        await tx.query("SELECT 1");
        await db.transaction((inner) => inner.query("SELECT 1"), { turns: true, timeout: 300 });
      }, { turns: true })
    ),
  "Cannot check at commit that the rows are still the same, as …": () =>
    inDatabase((db) => db.transaction((tx) => tx.query("SELECT random() FROM t"))),
  "Cannot run … as the transaction is `readOnly`": () =>
    inDatabase((db) => db.transaction((tx) => tx.execute("DELETE FROM t"), { readOnly: true })),
  "The request's transaction is over: after the answer, …": () => inDatabase(afterTheAnswer),
  "Cannot take the lock … as others held it until the end of `timeout`": async () => {
    const lock = new LocalLock("stock");
    const handle = await lock.acquire();
    await lock.acquire({ timeout: 10 }).finally(() => handle.release());
  },
  "Cannot open the database …: …": () =>
    inFolder((folder) => embedded(join(folder, "nowhere", "app.db"))),
  "Cannot migrate as … edited since it was applied: put back what it was, and write what is to change into a new migration":
    () =>
      inDatabase(async (db) => {
        await migrate(db, { migrations: [A_MIGRATION] });
        await migrate(db, { migrations: [{ ...A_MIGRATION, sql: "CREATE TABLE a(y)" }] });
      }),
  "Cannot migrate as … missing: put it back; or is this an older version of the program, or another database?":
    () =>
      inDatabase(async (db) => {
        await migrate(db, { migrations: [A_MIGRATION] });
        await migrate(db, { migrations: [] });
      }),
};

describe("docs/troubleshooting.md", () => {
  it("has each message once, and those that are provoked here", () => {
    assert.deepEqual(documented().sort(), [...Object.keys(PROVOKED), ...ELSEWHERE].sort());
  });

  for (const [message, provoke] of Object.entries(PROVOKED)) {
    it(message, async () => {
      await assert.rejects(async () => await provoke(), { message: pattern(message) });
    });
  }
});
