// Small loops that once split replicas, to be run for as long as one likes.
import assert from "node:assert/strict";
import { type Client, connect, type TransactionOptions } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas, type ReplicaOptions, rowsOfEach } from "../support/replicas.ts";
import { storeRaw } from "./raw.ts";

/** How long, and by how many at once. */
export interface LoopSize {
  readonly milliseconds: number;
  readonly workers: number;
}

/** A loop on a cluster of its own; answers how many writes were acknowledged. */
export interface Loop {
  readonly name: string;
  run(size: LoopSize): Promise<number>;
}

const NOTES = "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT, " +
  "created_at TEXT DEFAULT CURRENT_TIMESTAMP)";

const STRANGERS = "CREATE TABLE strangers(id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, " +
  "at REAL DEFAULT (julianday('now')), token TEXT DEFAULT (hex(randomblob(8))))";

const FOUND = "SELECT max(n) AS n, min(token) AS token FROM strangers WHERE at > 1";

/** All loops. */
export const LOOPS: readonly Loop[] = [
  {
    name: "transactions that insert a note and read it back",
    run: (size) => onCluster((cluster, client) => insertAndRead(cluster, client, size)),
  },
  {
    name: "the same, lazy",
    run: (size) =>
      onCluster((cluster, client) => insertAndRead(cluster, client, size, { mode: "lazy" })),
  },
  {
    name: "plain inserts of the client, then transactions that read max(created_at)",
    run: (size) => onCluster((cluster, client) => plainThenMax(cluster, client, size, false)),
  },
  {
    name: "plain inserts of another program, then transactions that read max(created_at)",
    run: (size) => onCluster((cluster, client) => plainThenMax(cluster, client, size, true)),
  },
  {
    name: "a counter that is read beside columns that differ from node to node",
    run: (size) =>
      onCluster((...on) => countUp(...on, size, "SELECT * FROM strangers WHERE id = 1")),
  },
  {
    name: "a counter that is found by columns that differ from node to node",
    run: (size) => onCluster((...on) => countUp(...on, size, FOUND)),
  },
];

async function onCluster<T>(body: (cluster: Cluster, client: Client) => Promise<T>): Promise<T> {
  const cluster = await startCluster(3);
  const client = connect(cluster.urls);
  try {
    await storeRaw(cluster, [
      NOTES,
      "CREATE TABLE other(n INTEGER, what TEXT)",
      "CREATE TABLE plain(n INTEGER)",
    ]);
    return await body(cluster, client);
  } finally {
    await client.close();
    await cluster.stop();
  }
}

async function insertAndRead(
  cluster: Cluster,
  client: Client,
  size: LoopSize,
  options: TransactionOptions = {},
): Promise<number> {
  const notes = await repeat(size, (n, worker) =>
    client.transaction(async (tx) => {
      const body = `${worker} ${n}`;
      await tx.execute("INSERT INTO notes(body) VALUES(?)", [body]);
      const { rows } = await tx.query("SELECT * FROM notes WHERE body = ?", [body]);
      assert.equal(rows.length, 1);
    }, { retries: size.workers === 1 ? 0 : 100, ...options }));
  await onEach(cluster, "notes", notes);
  for (let n = 0; n < 50; n++) {
    await client.transaction((tx) => tx.execute("INSERT INTO other(n) VALUES(?)", [n]));
  }
  await onEach(cluster, "other", 50);
  await equalReplicas(cluster);
  return notes + 50;
}

async function plainThenMax(
  cluster: Cluster,
  client: Client,
  size: LoopSize,
  foreign: boolean,
): Promise<number> {
  const insert = "INSERT INTO notes(body) VALUES('note')";
  const notes = await repeat(size, async () => {
    await (foreign ? storeRaw(cluster, [insert]) : client.execute(insert));
  });
  await onEach(cluster, "notes", notes);
  const newest = "SELECT max(created_at) AS newest, count(*) AS n FROM notes";
  for (let n = 0; n < 3; n++) {
    await client.transaction(async (tx) => {
      const { rows: [row] } = await tx.query(newest);
      assert.equal(row!["n"], notes);
      await tx.execute("INSERT INTO other(n, what) VALUES(?, ?)", [n, String(row!["newest"])]);
    }, { retries: 0 });
  }
  for (let n = 0; n < 20; n++) await client.execute("INSERT INTO plain(n) VALUES(?)", [n]);
  await onEach(cluster, "other", 3);
  await onEach(cluster, "plain", 20);
  // Whoever writes past the client gets what each node has on its clock.
  const options: ReplicaOptions = foreign ? { except: { notes: ["created_at"] } } : {};
  await equalReplicas(cluster, options);
  return notes + 3 + 20;
}

/** Everybody counts up one row that another program stored; a lost update would be missing in the end. */
async function countUp(
  cluster: Cluster,
  client: Client,
  size: LoopSize,
  read: string,
): Promise<number> {
  await storeRaw(cluster, [STRANGERS, "INSERT INTO strangers(id) VALUES(1), (2), (3)"]);
  const counted = await repeat(size, () =>
    client.transaction(async (tx) => {
      const { rows: [row] } = await tx.query<{ n: number }>(read);
      await tx.execute("UPDATE strangers SET n = ? WHERE id = 1", [row!.n + 1]);
    }, { retries: size.workers === 1 ? 0 : 1000, timeout: 60_000 }));
  const counters = await rowsOfEach(cluster, "SELECT n FROM strangers WHERE id = 1");
  assert.deepEqual(counters.flat(2), cluster.nodes.map(() => counted), "the counter");
  await equalReplicas(cluster, { except: { strangers: ["at", "token"] } });
  return counted;
}

/** Lets all workers do it again and again until time is up; answers how often it was done. */
async function repeat(
  { milliseconds, workers }: LoopSize,
  act: (n: number, worker: number) => Promise<void>,
): Promise<number> {
  const end = Date.now() + milliseconds;
  const counts = Array.from({ length: workers }, async (_, worker) => {
    let n = 0;
    for (; Date.now() < end; n++) await act(n, worker);
    return n;
  });
  return (await Promise.all(counts)).reduce((a, b) => a + b);
}

async function onEach(cluster: Cluster, table: string, expected: number): Promise<void> {
  const counts = await rowsOfEach(cluster, `SELECT count(*) FROM ${table}`);
  assert.deepEqual(counts.flat(2), cluster.nodes.map(() => expected), `rows of ${table}`);
}
