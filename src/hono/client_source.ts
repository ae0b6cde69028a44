import type { Client } from "../client/client.ts";
import { connect } from "../client/connect.ts";
import { isUrl, kindOf } from "../options.ts";
import type { HonoContext } from "./context.ts";

/**
 * A client for all requests, or a function that tells the one for a request: a client that it keeps itself, or a URL, for
 * which a client is made once. Those of the last 100 URLs are kept.
 *
 * @example
 * ```ts
 * import { type HonoContext, rqlite, type RqliteVariables } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono<{ Variables: RqliteVariables }>();
 * app.use(rqlite((c: HonoContext) => c.env.RQLITE_URL)); // in a Worker
 * ```
 */
export type ClientSource<C extends HonoContext = HonoContext> =
  | Client
  | ((c: C) => Client | string | URL);

/** For how many URLs a client is kept. */
const MOST_CLIENTS = 100;

/**
 * The clients that were made for URLs, the one used last at the end. They hold settings and what was learned, no connection
 * and no stream: one that is dropped needs no end, and who still uses it may go on.
 */
const clients = new Map<string, Client>();

/** What each of them was made for, as long as anybody has it. */
const keys = new WeakMap<Client, string>();

/** Tells the client of a request, which may have one already. */
export type ClientOf<C extends HonoContext> = (
  c: C,
  present: Client | undefined,
) => Client | Promise<Client>;

/**
 * Checks what does not change from request to request, and returns what tells the client of a request.
 *
 * @throws {TypeError} If it is neither a client nor a function; the returned function throws it for what it was given.
 */
export function clientsOf<C extends HonoContext>(source: ClientSource<C>): ClientOf<C> {
  if (typeof source === "function") {
    return (c, present) => {
      const chosen = source(c);
      return typeof chosen === "string" || isUrl(chosen)
        ? clientAt(String(chosen), present)
        : checked(chosen);
    };
  }
  const client = checked(source);
  return () => client;
}

async function clientAt(url: string, present: Client | undefined): Promise<Client> {
  const key = url.includes("@") ? await digest(url) : url;
  // The one that the request has may have been dropped meanwhile.
  const known = present && keys.get(present) === key ? present : clients.get(key);
  const client = known === undefined || known.closed ? connect(url) : known;
  clients.delete(key);
  clients.set(key, client);
  keys.set(client, key);
  for (const oldest of clients.keys()) if (clients.size > MOST_CLIENTS) clients.delete(oldest);
  return client;
}

/** Stands for a URL that may hold a password. */
async function digest(url: string): Promise<string> {
  return String(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url))),
  );
}

function checked(client: Client): Client {
  const methods = client as Partial<Client> | null | undefined;
  if (typeof methods?.query === "function" && typeof methods.begin === "function") return client;
  throw new TypeError(
    `Cannot use \`client\` as it must be made by connect(), or a function that gives one: current value is ${
      kindOf(client)
    }`,
  );
}
