import assert from "node:assert/strict";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";

/** One implementation of the server's protocol, ready to use; what it stores is the test's own. */
export interface Target {
  /** A client with the default options. */
  readonly db: Client;
  /** Where `fetch` finds it. */
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Level "linearizable" is real; else it has to be noticed and served as "strong". */
  readonly linearizable: boolean;
  close(): Promise<void>;
}

/** Opens an implementation; `foreignKeys` is the server's `-fk`. */
export type Open = (options: { foreignKeys: boolean }) => Promise<Target>;

/** Tests that run over any target; it is there when a test runs. */
export type Topic = (target: () => Target) => void;

/** A request as it left the client. */
export interface Sent {
  readonly endpoint: string;
  readonly flags: URLSearchParams;
  readonly body: string;
}

/** Another client of the same database, and what it sends. */
export function recorded(
  target: Target,
  options: ConnectOptions = {},
): { db: Client; sent: Sent[] } {
  const sent: Sent[] = [];
  const record = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input);
    const body = init?.body ? await new Response(init.body).text() : "";
    sent.push({ endpoint: pathname, flags: searchParams, body });
    return await target.fetch(input, init);
  };
  const fetch = record as typeof globalThis.fetch;
  return { db: connect(target.url, { fetch, ...options }), sent };
}

/** The statements that the caller's own calls sent: without those that commits add. */
export function ownStatements(sent: readonly Sent[]): unknown[] {
  return sent.flatMap(({ body }) => JSON.parse(body) as unknown[])
    .filter((statement) => !JSON.stringify(statement).includes("_rqlite_commit"));
}

let tables = 0;

/** A name that no other test uses. */
export function freshName(): string {
  return `t${++tables}`;
}

/** Makes a table with these columns, and returns its name. */
export async function freshTable(target: Target, columns: string, options = ""): Promise<string> {
  const name = freshName();
  await target.db.execute(`CREATE TABLE ${name}(${columns}) ${options}`);
  return name;
}

/** The only value of a query's only row. */
export async function valueOf(db: Client, sql: string, ...params: number[]): Promise<unknown> {
  const { rows } = await db.query<unknown[]>(sql, params, { rows: "array" });
  assert.equal(rows.length, 1);
  return rows[0]![0];
}

/** What a promise was rejected with. */
export async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof Error, String(error));
    return error;
  }
  assert.fail("Nothing was thrown");
}
