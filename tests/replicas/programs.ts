// What the programs over the zoo have in common.
import assert from "node:assert/strict";
import type { Cell, Ops, Program, Row } from "./doors.ts";

/** A schema that people have, and what ordinary programs do with it. */
export interface Animal {
  readonly name: string;
  /** The tables that are compared. */
  readonly tables: readonly string[];
  readonly create: readonly string[];
  /** Plain writes of another program, for which each node computes the defaults by itself. */
  readonly foreign?: readonly string[];
  /** Columns that are not compared, by table: what those writes and what triggers computed on each node. */
  readonly except?: Readonly<Record<string, readonly string[]>>;
  readonly programs: Readonly<Record<string, Program>>;
}

/** Tables for the programs of any schema: what was seen, what was acknowledged, what is written afterwards. */
export const COMMON = ["seen", "done", "plain"] as const;

/** Makes them anew, so that each schema answers for itself. */
export const CREATE_COMMON: readonly string[] = [
  ...COMMON.map((table) => `DROP TABLE IF EXISTS ${table}`),
  "CREATE TABLE seen(key TEXT, what TEXT)",
  "CREATE TABLE done(key TEXT)",
  "CREATE TABLE plain(n INTEGER)",
];

/** Writes elsewhere what was read. */
export async function note(ops: Ops, key: string, what: unknown): Promise<void> {
  const text = JSON.stringify(what, (_, value) => typeof value === "bigint" ? `${value}` : value);
  await ops.run("INSERT INTO seen(key, what) VALUES(?, ?)", key, text ?? null);
}

/** The only row of a query. */
export async function one(ops: Ops, sql: string, ...params: Cell[]): Promise<Row> {
  const rows = await ops.all(sql, ...params);
  assert.equal(rows.length, 1, sql);
  return rows[0]!;
}

/** Inserts a row and reads it back; `insert` has the key as its first value. */
export function insertAndRead(insert: string, read: string): Program {
  return async (ops, key) => {
    await ops.run(insert, key);
    await note(ops, key, await one(ops, read, key));
  };
}

/** Reads, and writes elsewhere what it saw. */
export function readAndNote(read: string): Program {
  return async (ops, key) => await note(ops, key, await ops.all(read));
}

/** Runs writes, each with the key as its only value, and reads behind them. */
export function writesAndRead(writes: readonly string[], read: string): Program {
  return async (ops, key) => {
    for (const write of writes) await ops.run(write, key);
    await note(ops, key, await ops.all(read));
  };
}
