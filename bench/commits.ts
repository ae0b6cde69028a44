/**
 * What it costs that every write is a commit: time beside the same without, requests, and what the first write and a
 * change of the schema add. With RQLITED_BIN on another server than the one from npm.
 *
 *     deno run -A bench/commits.ts     also with `bun` and `node`
 */

import process from "node:process";
import { type Client, connect, type Transaction, type TransactionOptions } from "../mod.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";
import { type Case, interleave } from "./support/interleave.ts";

const ROUNDS = 300;

/** `plain` holds nothing of a node's own; the others a clock, by a DEFAULT and by a trigger. */
const SCHEMA = [
  "CREATE TABLE plain(id INTEGER PRIMARY KEY, n INTEGER, at TEXT)",
  "CREATE TABLE stamped(id INTEGER PRIMARY KEY, n INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE touched(id INTEGER PRIMARY KEY, n INTEGER, at TEXT)",
  "CREATE TRIGGER touch AFTER UPDATE OF n ON touched BEGIN " +
  "UPDATE touched SET at = CURRENT_TIMESTAMP WHERE id = new.id; END",
];

type Table = "plain" | "stamped" | "touched";

const UNPROTECTED = { exactlyOnce: false };
const LAZY = { mode: "lazy" } as const;

/** What went over the wire since the last look. */
const seen = { requests: 0, statements: 0 };

function client(url: string): Client {
  return connect(url, {
    level: "weak",
    onRequest: ({ statements }) => {
      seen.requests++;
      seen.statements += statements;
    },
  });
}

function print(name: string, ...figures: string[]): void {
  const columns = figures.map((figure) => figure.padStart(11)).join("");
  process.stdout.write(`${name.padEnd(44)}${columns}\n`);
}

/** Requests and statements of one run. */
async function traffic(run: Case, times = 1): Promise<[requests: string, statements: string]> {
  Object.assign(seen, { requests: 0, statements: 0 });
  for (let i = 0; i < times; i++) await run();
  return [(seen.requests / times).toFixed(1), (seen.statements / times).toFixed(1)];
}

const update = (table: Table): string => `UPDATE ${table} SET n = n + 1 WHERE id = 1`;
const insert = (table: Table): string => `INSERT INTO ${table}(n) VALUES (1)`;

/** Reads a row as it is, and writes it. */
async function count(db: Client | Transaction, table: Table, options = {}): Promise<void> {
  await db.query(`SELECT * FROM ${table} WHERE id = 1`);
  await db.execute(update(table), [], options);
}

/** The row is chosen by the clock: only the leader can judge that. */
async function countLate(tx: Transaction, table: Table): Promise<void> {
  await tx.query(`SELECT n FROM ${table} WHERE id = 1 AND at IS NOT ?`, ["never"]);
  await tx.execute(update(table));
}

async function addAndLook(tx: Transaction, table: Table): Promise<void> {
  const { lastInsertId } = await tx.execute(insert(table));
  await tx.query(`SELECT * FROM ${table} WHERE id = ?`, [lastInsertId!]);
}

/** Each case, and the one that it is compared with. */
function casesOf(db: Client): Record<string, readonly [run: Case, baseline: string]> {
  const once = [update("plain")] as const;
  const ten = Array.from({ length: 10 }, () => update("plain"));
  const unit = (run: (tx: Transaction) => Promise<void>, options: TransactionOptions = {}) => () =>
    db.transaction(run, options);
  const counting = (table: Table, options?: TransactionOptions) =>
    unit((tx) => count(tx, table), options);
  return {
    "execute, no id": [() => db.execute(...once, [], UNPROTECTED), "execute, no id"],
    "execute": [() => db.execute(...once), "execute, no id"],
    "batch of 10, no id": [() => db.batch(ten, UNPROTECTED), "batch of 10, no id"],
    "batch of 10": [() => db.batch(ten), "batch of 10, no id"],
    "read, write, no id": [() => count(db, "plain", UNPROTECTED), "read, write, no id"],
    "transaction": [counting("plain"), "read, write, no id"],
    "transaction, lazy": [counting("plain", LAZY), "read, write, no id"],
    "DEFAULT clock": [counting("stamped"), "transaction"],
    "DEFAULT clock, lazy": [counting("stamped", LAZY), "transaction, lazy"],
    "trigger clock": [counting("touched"), "transaction"],
    "trigger clock, lazy": [counting("touched", LAZY), "transaction, lazy"],
    "judged read": [unit((tx) => countLate(tx, "stamped")), "transaction"],
    "judged read, lazy": [unit((tx) => countLate(tx, "stamped"), LAZY), "transaction, lazy"],
    "insert, look": [unit((tx) => addAndLook(tx, "plain")), "transaction"],
    "insert, look, DEFAULT clock": [unit((tx) => addAndLook(tx, "stamped")), "insert, look"],
  };
}

async function compareTimes(db: Client): Promise<void> {
  const cases = casesOf(db);
  const names = Object.keys(cases);
  const runs = Object.fromEntries(names.map((name) => [name, cases[name]![0]]));
  const times = await interleave(runs, ROUNDS);
  print("one call or transaction", "p50 ms", "requests", "statements", "ratio", "to");
  for (const name of names) {
    const [run, baseline] = cases[name]!;
    const ratio = (times[name]! / times[baseline]!).toFixed(2);
    const beside = baseline === name ? [] : [`${ratio} ×`, `  ${baseline}`];
    print(name, times[name]!.toFixed(2), ...await traffic(run, 20), ...beside);
  }
}

/** Ten transactions at once that have nothing in common but the table. */
async function together(db: Client): Promise<void> {
  print("\nten inserts at once", "runs", "requests", "statements");
  for (const table of ["plain", "stamped"] as const) {
    let runs = 0;
    const one = () =>
      db.transaction(async (tx) => {
        runs++;
        await tx.execute(insert(table));
      });
    const figures = await traffic(() => Promise.all(Array.from({ length: 10 }, one)), 20);
    print(table, (runs / 20).toFixed(1), ...figures);
  }
}

/** What is asked once: by a new client, and after a change of the schema. */
async function atFirst(url: string, db: Client): Promise<void> {
  print("\nat first, and after a change of the schema", "", "requests", "statements");
  const first = async (run: (db: Client) => Promise<unknown>) => {
    const other = client(url);
    await run(other).finally(() => other.close());
  };
  const write = (other: Client) => other.execute(update("plain"));
  print("first write, client is new", "", ...await traffic(() => first(write), 5));
  const unit = (other: Client) => other.transaction((tx) => count(tx, "plain"));
  print("first transaction, client is new", "", ...await traffic(() => first(unit), 5));
  let n = 0;
  const create = () => db.execute(`CREATE TABLE new${n++}(id INTEGER PRIMARY KEY)`);
  print("CREATE TABLE", "", ...await traffic(create));
  print("the next write", "", ...await traffic(() => db.execute(update("plain"))));
  await create();
  print(
    "the next transaction",
    "",
    ...await traffic(() => db.transaction((tx) => count(tx, "plain"))),
  );
}

async function run(url: string): Promise<void> {
  const db = client(url);
  const create = () => db.execute(SCHEMA[0]!);
  print("on a fresh database", "", "requests", "statements");
  print("first write", "", ...await traffic(create));
  await db.batch(SCHEMA.slice(1));
  for (const table of ["plain", "stamped", "touched"] as const) await db.execute(insert(table));
  process.stdout.write("\n");
  await compareTimes(db);
  await together(db);
  await atFirst(url, db);
  await db.close();
}

const reason = skipWithoutRqlited();
if (reason !== false) throw new Error(reason);
const server = await startRqlited();
await run(server.url).finally(() => server.stop());
