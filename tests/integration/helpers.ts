import assert from "node:assert/strict";
import type { Client, RequestEvent } from "../../mod.ts";
import type { Rqlited } from "../support/rqlited.ts";

/** A request as the client handed it to `fetch`. */
export interface Sent {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** The status of its answer; 0 without one. */
  status: number;
}

/** The platform's `fetch`, and what went through it. */
export interface Recorder {
  readonly fetch: typeof fetch;
  readonly sent: Sent[];
}

/** Makes a `fetch` for `connect` that keeps what it is called with. */
export function recorder(): Recorder {
  const sent: Sent[] = [];
  const record = async (input: string | URL | Request, init: RequestInit = {}) => {
    const body = init.body === undefined ? "" : await new Response(init.body).text();
    const entry: Sent = {
      url: new URL(String(input)),
      headers: new Headers(init.headers),
      body,
      status: 0,
    };
    sent.push(entry);
    const response = await fetch(input, init);
    entry.status = response.status;
    return response;
  };
  return { fetch: record as typeof fetch, sent };
}

/** What `promise` rejects with, as it is; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then((value) => ({ value }), (reason: unknown) => ({ reason }));
  if ("reason" in settled) return settled.reason;
  assert.fail(`Resolved with ${JSON.stringify(settled.value)}`);
}

/** One cell, asked past the client under test. */
export async function cell(server: Rqlited, sql: string): Promise<unknown> {
  const [result] = await server.sql(sql) as { values?: unknown[][] }[];
  return result?.values?.[0]?.[0];
}

/** All rows, asked past the client under test. */
export async function table(server: Rqlited, sql: string): Promise<unknown[][]> {
  const [result] = await server.sql(sql) as { values?: unknown[][] }[];
  return result?.values ?? [];
}

/** A write that keeps each node busy for a good part of a second. */
export const SLOW_WRITE =
  "INSERT INTO slow WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c " +
  "WHERE n<1000000) SELECT count(*) FROM c";

/** The nodes that were asked for `endpoint`, in order. */
export function asked(events: readonly RequestEvent[], endpoint: string): string[] {
  return events.filter((event) => event.endpoint === endpoint).map(({ node }) => node);
}

/** Closes the client whatever happens to `work`. */
export async function closing<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Whether `promise` has settled `ms` milliseconds from now. */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<boolean>((resolve) => timer = setTimeout(resolve, ms, false));
  const settled = promise.then(() => true, () => true);
  return await Promise.race([settled, passed]).finally(() => clearTimeout(timer));
}
