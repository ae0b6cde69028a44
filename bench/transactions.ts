/**
 * What transactions cost on a server: requests, statements and bytes first, then the time.
 *
 *     deno run -A bench/transactions.ts     also with `bun` and `node`
 */

import process from "node:process";
import { type Client, connect, type Transaction } from "../mod.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";

/** What went over the wire since the last look. */
const seen = { requests: 0, statements: 0, bytes: 0 };

const counting = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
  if (init?.body) seen.bytes += (await new Response(init.body).arrayBuffer()).byteLength;
  return await fetch(input, init);
};

async function measure(name: string, times: number, run: () => Promise<unknown>): Promise<void> {
  await run();
  Object.assign(seen, { requests: 0, statements: 0, bytes: 0 });
  const durations: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await run();
    durations.push(performance.now() - started);
  }
  const median = durations.sort((a, b) => a - b)[times >> 1]!;
  const figures = [seen.requests, seen.statements, seen.bytes].map((n) =>
    String(Math.round(n / times)).padStart(9)
  );
  process.stdout.write(`${name.padEnd(32)}${figures.join(" ")} ${median.toFixed(1).padStart(9)}\n`);
}

const readThenWrite = async (tx: Transaction): Promise<void> => {
  const { rows } = await tx.query<{ n: number }>("SELECT n FROM bench WHERE id = ?", [1]);
  await tx.execute("UPDATE bench SET n = ? WHERE id = ?", [rows[0]!.n + 1, 1]);
};

async function unprotected(db: Client): Promise<void> {
  const { rows } = await db.query<{ n: number }>("SELECT n FROM bench WHERE id = ?", [1]);
  const values = [rows[0]!.n + 1, 1];
  await db.execute("UPDATE bench SET n = ? WHERE id = ?", values, { exactlyOnce: false });
}

async function inserts(tx: Transaction, count: number, together: boolean): Promise<void> {
  const issued: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const result = tx.execute("INSERT INTO bench(n) VALUES(?)", [i]);
    issued.push(result);
    if (!together) await result;
  }
  await Promise.all(issued);
}

async function run(url: string): Promise<void> {
  const db = connect(url, {
    level: "weak",
    fetch: counting as typeof fetch,
    onRequest: ({ statements }) => {
      seen.requests++;
      seen.statements += statements;
    },
  });
  await db.execute("CREATE TABLE bench(id INTEGER PRIMARY KEY, n INTEGER)");
  await db.execute("INSERT INTO bench VALUES(1, 0)");
  const titles = ["requests", "statements", "bytes", "p50 ms"].map((title) => title.padStart(9));
  process.stdout.write(`${"one transaction".padEnd(32)}${titles.join(" ")}\n`);
  await measure("read, write", 50, () => db.transaction(readThenWrite));
  await measure("read, write, lazy", 50, () => db.transaction(readThenWrite, { mode: "lazy" }));
  await measure("the same, unprotected", 50, () => unprotected(db));
  const query = (tx: Transaction) => tx.query("SELECT n FROM bench WHERE id = 1");
  await measure("one read, readOnly", 50, () => db.transaction(query, { readOnly: true }));
  for (const count of [10, 100, 300]) {
    const times = count === 300 ? 1 : 5;
    const eager = (together: boolean) => () => db.transaction((tx) => inserts(tx, count, together));
    const lazy = () => db.transaction((tx) => inserts(tx, count, false), { mode: "lazy" });
    await measure(`${count} writes, one by one`, times, eager(false));
    await measure(`${count} writes, together`, times, eager(true));
    await measure(`${count} writes, lazy`, times, lazy);
  }
  await db.close();
}

const reason = skipWithoutRqlited();
if (reason !== false) throw new Error(reason);
const server = await startRqlited();
await run(server.url).finally(() => server.stop());
