/**
 * What `executeMany` costs next to the best that can be written by hand, in one run, and how much memory a million rows
 * of an asynchronous iterable take.
 *
 *     deno run -A bench/dbapi.ts     also with `bun` and `node --expose-gc`
 */

import process from "node:process";
import { connect } from "../src/dbapi/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";
import { interleave } from "./support/interleave.ts";

const ROWS = 100_000;
const REQUEST = 10_000;
const VALUES = 100;
const MILLION = 1_000_000;

type Row = [number, string, number];

const row = (i: number): Row => [i, `name ${i}`, i / 3];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** 100 rows a statement, 10,000 a request, and nothing in the way. */
async function byHand(url: string, rows: readonly Row[]): Promise<void> {
  const text = `INSERT INTO hand VALUES ${Array(VALUES).fill("(?,?,?)").join(",")}`;
  for (let at = 0; at < rows.length; at += REQUEST) {
    const statements: unknown[] = [];
    for (let i = at; i < at + REQUEST; i += VALUES) {
      statements.push([text, ...rows.slice(i, i + VALUES).flat()]);
    }
    const response = await fetch(`${url}/db/execute?transaction`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(statements),
    });
    const answer = await response.text();
    if (answer.includes('"error"')) throw new Error(answer);
  }
}

async function compare(url: string): Promise<void> {
  const connection = connect(url, { autocommit: true });
  const rows = Array.from({ length: ROWS }, (_, i) => row(i));
  const columns = "(id INTEGER, name TEXT, score REAL)";
  await connection.execute(`CREATE TABLE hand${columns}`);
  await connection.execute(`CREATE TABLE many${columns}`);
  const times = await interleave({
    hand: async () => {
      await connection.execute("DELETE FROM hand");
      await byHand(url, rows);
    },
    many: async () => {
      await connection.execute("DELETE FROM many");
      await connection.cursor().executeMany("INSERT INTO many VALUES(?, ?, ?)", rows);
    },
  }, 9);
  const speed = (times.hand / times.many).toFixed(2);
  print(
    `executeMany() of ${ROWS.toLocaleString("en")} rows  ${speed} × the speed of the best by hand`,
  );
  print(`  ${Math.round(times.many)} ms against ${Math.round(times.hand)} ms   goal ≥ 0.8 ×`);
  await connection.close();
}

async function* million(watch: () => void): AsyncGenerator<Row> {
  for (let i = 0; i < MILLION; i++) {
    if (i % REQUEST === 0) watch();
    yield row(i);
  }
}

/** What the process holds, heap and all; garbage too, which nobody else can use either. */
function memory(): number {
  return process.memoryUsage().rss / 1_000_000;
}

async function measureMemory(url: string): Promise<void> {
  const connection = connect(url, { autocommit: true });
  await connection.execute("CREATE TABLE million(id INTEGER, name TEXT, score REAL)");
  const cursor = connection.cursor();
  const baseline = memory();
  let peak = 0;
  const watch = (): void => void (peak = Math.max(peak, memory() - baseline));
  await cursor.executeMany("INSERT INTO million VALUES(?, ?, ?)", million(watch));
  print(`executeMany() of ${cursor.rowCount.toLocaleString("en")} asynchronous rows`);
  print(`  at most ${Math.round(peak)} MB above ${Math.round(baseline)} MB   goal < 200 MB`);
  await connection.close();
}

const reason = skipWithoutRqlited();
if (reason !== false) throw new Error(reason);
const server = await startRqlited();
try {
  await measureMemory(server.url);
  await compare(server.url);
} finally {
  await server.stop();
}
