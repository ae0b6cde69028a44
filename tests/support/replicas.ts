import assert from "node:assert/strict";
import type { Cluster } from "./cluster.ts";
import { until } from "./http.ts";
import type { Rqlited } from "./rqlited.ts";

/** What of the replicas is compared; everything where nothing is said. */
export interface ReplicaOptions {
  /** Leaves out the tables for which it answers `false`, and the schema's objects that belong to them. */
  readonly tables?: (name: string) => boolean;
  /** Columns that are known to differ, by table: what each node computes for itself. */
  readonly except?: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds that the nodes have to reach the same position of the log. @default {30000} */
  readonly limit?: number;
}

/** A database as each node should have it: for each table its rows, and the schema under `sqlite_schema`. */
type Dump = ReadonlyMap<string, readonly string[]>;

const SCHEMA = "sqlite_schema";

/** Neither a row of the user's nor the same everywhere: each node analyses for itself. */
const isStatistics = (name: string): boolean => name.startsWith("sqlite_stat");

/**
 * Waits until all running nodes have applied the same position of the log, and compares every table of every node row by
 * row: the type and the exact text of every column, the schema's SQL, `sqlite_sequence` and the package's own tables.
 *
 * @throws {AssertionError} If they differ; the message names the node, the table and a row.
 */
export async function equalReplicas(cluster: Cluster, options: ReplicaOptions = {}): Promise<void> {
  const nodes = cluster.nodes.filter((node) => node.running);
  const dumps = await dumpsOfOnePosition(cluster, nodes, options);
  const [first, ...others] = dumps;
  const problems = others.flatMap((dump, i) =>
    differences(first!, dump, { one: nameOf(nodes[0]!), other: nameOf(nodes[i + 1]!) })
  );
  assert.ok(problems.length === 0, `The replicas differ\n${problems.join("\n")}`);
}

/** The rows of a query on each running node, each row as a list, once all have applied the same position of the log. */
export async function rowsOfEach(cluster: Cluster, sql: string): Promise<unknown[][][]> {
  const nodes = cluster.nodes.filter((node) => node.running);
  await samePosition(cluster, nodes, undefined);
  return await Promise.all(nodes.map(async (node) => (await ask(node, [sql]))[0]!));
}

/** Reads all nodes between two looks at the log: what is written meanwhile makes it read again. */
async function dumpsOfOnePosition(
  cluster: Cluster,
  nodes: readonly Rqlited[],
  options: ReplicaOptions,
): Promise<Dump[]> {
  return await until("time without writes to compare the replicas", async () => {
    const before = await samePosition(cluster, nodes, options.limit);
    const dumps = await Promise.all(nodes.map((node) => dumpOf(node, options)));
    const after = await Promise.all(nodes.map(positionOf));
    return after.every((position) => position === before) ? dumps : undefined;
  });
}

/** Waits until every node has applied what the leader has, and answers that position. */
async function samePosition(
  cluster: Cluster,
  nodes: readonly Rqlited[],
  limit = 30_000,
): Promise<number> {
  const leader = await cluster.settled();
  // A strong read is an entry of the log: a leader that has answered it has applied what was before.
  await leader.sql("SELECT 1");
  let positions: readonly (number | undefined)[] = [];
  return await until("common position of the log", async () => {
    positions = await Promise.all(nodes.map(positionOf));
    const [first] = positions;
    return positions.every((position) => position === first) ? first : undefined;
  }, {
    limit,
    details: () => nodes.map((node, i) => `${nameOf(node)}: ${positions[i]}`).join(", "),
  });
}

/** The last entry of the log that reached a node's database. */
async function positionOf(node: Rqlited): Promise<number | undefined> {
  try {
    const { text } = await node.ask("/status");
    return (JSON.parse(text) as { store: { fsm_index: number } }).store.fsm_index;
  } catch {
    return undefined; // it has just been started
  }
}

async function dumpOf(node: Rqlited, options: ReplicaOptions): Promise<Dump> {
  const { tables = () => true } = options;
  const kept = (name: string): boolean => !isStatistics(name) && tables(name);
  const [objects = [], columns = []] = await ask(node, [
    // The root page is a node's own, and so is the order after a VACUUM.
    `SELECT tbl_name, type, name, sql FROM ${SCHEMA}`,
    "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_xinfo(t.name) c " +
    "WHERE t.schema = 'main' AND t.type <> 'view' AND c.hidden <> 1 AND t.name NOT LIKE 'sqlite\\_schema' ESCAPE '\\' " +
    "ORDER BY t.name, c.cid",
  ]);
  const compared = Map.groupBy(columns as string[][], ([table]) => table!);
  const names = [...compared.keys()].filter(kept);
  const queries = names.map((table) => {
    const all = compared.get(table)!.map(([, column]) => column!);
    const except = options.except?.[table] ?? [];
    return selectOf(table, all.filter((column) => !except.includes(column)));
  });
  const rows = queries.length === 0 ? [] : await ask(node, queries);
  const dump = new Map(names.map((table, i) => [table, sorted(rows[i]!)] as const));
  return dump.set(SCHEMA, sorted((objects as string[][]).filter(([table]) => kept(table!))));
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Exact whatever the value is: digits of integers, bytes of texts and blobs. */
function selectOf(table: string, columns: readonly string[]): string {
  const cells = columns.map((column) => {
    const c = quoted(column);
    // SQLite's own text of a REAL depends on its version, the server's JSON does not; it has no infinity.
    return `CASE typeof(${c}) WHEN 'null' THEN 'null' WHEN 'integer' THEN 'integer ' || ${c} ` +
      `WHEN 'real' THEN CASE abs(${c}) WHEN 9e999 THEN 'real ' || ${c} ELSE ${c} END ` +
      `ELSE typeof(${c}) || ' ' || hex(${c}) END`;
  });
  return `SELECT ${cells.length === 0 ? "NULL" : cells.join(", ")} FROM main.${quoted(table)}`;
}

function sorted(rows: readonly unknown[][]): string[] {
  return rows.map((row) => JSON.stringify(row.map(exact))).sort();
}

/** Only REALs are numbers here, see {@linkcode selectOf}. */
function exact(cell: unknown): unknown {
  return typeof cell === "number" ? `real ${Object.is(cell, -0) ? "-0" : cell}` : cell;
}

/** Asks the node for what it has itself, without a client. */
async function ask(node: Rqlited, statements: readonly string[]): Promise<unknown[][][]> {
  const body = JSON.stringify(statements);
  const { status, text } = await node.ask("/db/query?level=none", { method: "POST", body });
  if (status !== 200 || text.includes('"error":')) {
    throw new Error(`Cannot read ${nameOf(node)}: ${status} ${text.slice(0, 500)}`);
  }
  const { results } = JSON.parse(text) as { results: { values?: unknown[][] }[] };
  return results.map(({ values = [] }) => values);
}

const nameOf = (node: Rqlited): string => `node ${node.options.id ?? "1"}`;

/** One line for each table that differs. */
function differences(a: Dump, b: Dump, names: { one: string; other: string }): string[] {
  const tables = [...new Set([...a.keys(), ...b.keys()])].sort();
  return tables.flatMap((table) => {
    const [ours, theirs] = [a.get(table), b.get(table)];
    if (ours === undefined) return `${table}: only on ${names.other}`;
    if (theirs === undefined) return `${table}: only on ${names.one}`;
    const [onlyOurs, onlyTheirs] = [without(ours, theirs), without(theirs, ours)];
    if (onlyOurs.length + onlyTheirs.length === 0) return [];
    const told = [
      `${table}: ${ours.length} rows on ${names.one}, ${theirs.length} on ${names.other}`,
      ...example(names.one, onlyOurs),
      ...example(names.other, onlyTheirs),
    ];
    return told.join("; ");
  });
}

/** As multisets: a row that is there twice must be there twice. */
function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const n = left.get(row) ?? 0;
    if (n > 0) left.set(row, n - 1);
    return n === 0;
  });
}

function example(node: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const cells = (JSON.parse(rows[0]!) as unknown[]).map(readable);
  return [`${rows.length} only on ${node}, such as (${cells.join(", ").slice(0, 400)})`];
}

function readable(cell: unknown): string {
  const [, digits] = /^text ([0-9A-F]*)$/.exec(String(cell)) ?? [];
  if (digits === undefined) return String(cell);
  const bytes = (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return `'${new TextDecoder().decode(Uint8Array.from(bytes))}'`;
}
