/** The ways to send statements that are compared: `fetch` by hand, this client, others. */

import { createRequire } from "node:module";
import { type Client, connect, type ConnectOptions } from "../mod.ts";
import { nodeFetch } from "../src/node/mod.ts";
import { CLIENT, FETCH, NO_IDS, OVER_NODE, RQLITE_JS } from "./names.ts";
import type { EngineName } from "./results.ts";

/** A statement as rqlite takes it. */
export type Listed = readonly [sql: string, ...params: unknown[]];

/** One result of an answer. */
export interface HandResult {
  readonly values?: readonly (readonly unknown[])[];
  readonly rows_affected?: number;
}

/** Sends statements by one `fetch`, and reads the answer. */
async function post(url: string, statements: readonly Listed[]): Promise<HandResult[]> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(statements),
  });
  const { results } = await response.json() as { results: (HandResult & { error?: string })[] };
  const failed = results.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(failed.error);
  return results;
}

/** Of rqlite's levels the one that it takes by itself, which all cases read at. */
export const LEVEL = "weak";

/** Reads. */
export function read(url: string, ...statements: readonly Listed[]): Promise<HandResult[]> {
  return post(`${url}/db/query?level=${LEVEL}`, statements);
}

/** Writes. */
export function write(url: string, ...statements: readonly Listed[]): Promise<HandResult[]> {
  return post(`${url}/db/execute`, statements);
}

/** Writes all or nothing. */
export function writeTogether(url: string, statements: readonly Listed[]): Promise<HandResult[]> {
  return post(`${url}/db/execute?transaction`, statements);
}

/** Something that sends statements. */
export interface Way {
  readonly name: string;
  read(...statement: Listed): Promise<unknown>;
  write(...statement: Listed): Promise<unknown>;
  close?(): unknown;
}

/** A client whose reads are of the level that the others read at. */
export function client(url: string, options: ConnectOptions = {}): Client {
  return connect(url, { level: LEVEL, ...options });
}

function byFetch(url: string): Way {
  return {
    name: FETCH,
    read: (...statement) => read(url, statement),
    write: (...statement) => write(url, statement),
  };
}

function byClient(name: string, url: string, options: ConnectOptions = {}): Way {
  const db = client(url, options);
  return {
    name,
    read: (sql, ...params) => db.query(sql, params as []),
    write: (sql, ...params) => db.execute(sql, params as []),
    close: () => db.close(),
  };
}

function overNode(url: string): Way {
  const transport = nodeFetch();
  return byClient(OVER_NODE, url, { fetch: transport, close: transport.close });
}

interface DataResults {
  hasError(): boolean;
  getFirstError(): Error;
  toArray(): unknown[];
}

/** It brings no types. */
interface RqliteJs {
  DataApiClient: new (url: string) => {
    query(statements: readonly Listed[], options: { level: string }): Promise<DataResults>;
    execute(statements: readonly Listed[]): Promise<DataResults>;
  };
}

function byRqliteJs(url: string): Way {
  const { DataApiClient } = createRequire(import.meta.url)(RQLITE_JS) as RqliteJs;
  const db = new DataApiClient(url);
  const rows = (results: DataResults): unknown[] => {
    if (results.hasError()) throw results.getFirstError();
    return results.toArray();
  };
  return {
    name: RQLITE_JS,
    read: async (...statement) => rows(await db.query([statement], { level: LEVEL })),
    write: async (...statement) => rows(await db.execute([statement])),
  };
}

/** Every way that there is on an engine. */
export function everyWay(engine: EngineName, url: string): Way[] {
  return [
    byFetch(url),
    byClient(CLIENT, url),
    ...(engine === "node" ? [overNode(url)] : []),
    byRqliteJs(url),
  ];
}

/** What makes the client leave out the ids of its writes. */
export const WITHOUT_IDS: ConnectOptions = { exactlyOnce: false };

/** The client without ids of its writes. */
export function withoutIds(url: string): Way {
  return byClient(NO_IDS, url, WITHOUT_IDS);
}
