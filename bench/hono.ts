/**
 * What the middleware costs for each request, without any work for the database.
 *
 *     deno run -A bench/hono.ts     also with `bun` and `node`
 */

import process from "node:process";
import { Hono } from "hono";
import { connect } from "../mod.ts";
import { rqlite, type RqliteMiddlewareOptions } from "../src/hono/mod.ts";
import { type Case, interleave } from "./support/interleave.ts";

const REQUESTS = 2000;
const ROUNDS = 25;
/** In microseconds. */
const GOAL = 20;

const db = connect();

function app(...middlewares: readonly RqliteMiddlewareOptions[]): Case {
  const made = new Hono();
  for (const options of middlewares) made.use(rqlite(db, options));
  made.get("/", (c) => c.text("hello"));
  const request = new Request("http://localhost/");
  return async () => {
    for (let i = 0; i < REQUESTS; i++) await made.fetch(request);
  };
}

const times = await interleave({
  "without it": app(),
  "rqlite(db)": app({}),
  "rqlite(db, { timeout })": app({ timeout: 5_000 }),
  "rqlite(db, { transaction: true })": app({ transaction: true }),
}, ROUNDS);

const micros = (milliseconds: number): string => (milliseconds / REQUESTS * 1000).toFixed(2);
const bare = times["without it"];
for (const [name, time] of Object.entries(times)) {
  const added = time === bare ? "" : `  + ${micros(time - bare)} µs   goal ≤ ${GOAL} µs`;
  process.stdout.write(`${name.padEnd(36)}${micros(time).padStart(6)} µs${added}\n`);
}
await db.close();
