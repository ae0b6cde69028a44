/** What this client sends, sent by `fetch` alone: the same endpoint, flags, headers and statements. */

import type { ConnectOptions } from "../mod.ts";
import { client, type HandResult, type Listed, type Way } from "./ways.ts";

/** A request of the client. */
interface Recorded {
  readonly url: string;
  readonly headers: HeadersInit;
  readonly statements: readonly unknown[];
}

/** What stands in front of a write that is exactly-once: its text, a base, an id, and what it relies on. */
type Entering = [sql: string, base: number, id: string, ...rest: unknown[]];

type Method = "query" | "execute";

/** The last request of a call, when the client knows what it has to ask for first. */
async function record(
  url: string,
  options: ConnectOptions,
  method: Method,
  [sql, ...params]: Listed,
): Promise<Recorded> {
  let last: { readonly url: string; readonly init: RequestInit } | undefined;
  const db = client(url, {
    ...options,
    fetch: (input, init = {}) => {
      last = { url: String(input), init };
      return fetch(input, init);
    },
  });
  for (let i = 0; i < 2; i++) await db[method](sql, params as []);
  await db.close();
  const { url: address, init: { body, headers = {} } } = last!;
  return { url: address, headers, statements: await new Response(body).json() as unknown[] };
}

/** Whether a statement of a body enters an id. */
function isEntering(statement: unknown): statement is Entering {
  return Array.isArray(statement) && String(statement[0]).startsWith("INSERT INTO _rqlite_commit");
}

/**
 * Sends what was recorded once more, with other values, and with an id of its own under the place that the one before took:
 * as the client does, since a commit looks through all that were made behind its base.
 */
function repeater(url: string, options: ConnectOptions, method: Method) {
  let recorded: Recorded | undefined;
  let base: number | undefined;
  return async (...statement: Listed): Promise<HandResult[]> => {
    recorded ??= await record(url, options, method, statement);
    const statements = recorded.statements.map((one) => {
      if (isEntering(one)) {
        const [sql, first, , ...rest] = one;
        base ??= first;
        return [sql, base, `${base}.${crypto.randomUUID()}`, ...rest];
      }
      return Array.isArray(one) && one[0] === statement[0] ? statement : one;
    });
    const response = await fetch(recorded.url, {
      method: "POST",
      headers: recorded.headers,
      body: JSON.stringify(statements),
    });
    const { results } = await response.json() as {
      results: (HandResult & { error?: string; last_insert_id?: number })[];
    };
    const failed = results.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(failed.error);
    if (base !== undefined) base = results[0]!.last_insert_id!;
    return results;
  };
}

/** One request for each statement, as the client with these options would send it. */
export function sameBody(name: string, url: string, options: ConnectOptions = {}): Way {
  return {
    name,
    read: repeater(url, options, "query"),
    write: repeater(url, options, "execute"),
  };
}
