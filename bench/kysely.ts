/**
 * What Kysely and its dialect cost on top of the client, in microseconds a query, without a network: the medians of
 * calls in turns. The goal is 30 µs for the dialect, that is for a query that is compiled already.
 *
 *     deno run -A bench/kysely.ts     also with `bun` and `node`
 */

import process from "node:process";
import { CompiledQuery, type Generated, Kysely } from "kysely";
import { connect } from "../mod.ts";
import { RqliteDialect } from "../packages/kysely/mod.ts";
import { interleave } from "./support/interleave.ts";

interface Database {
  bench: { id: Generated<number>; name: string; price: number };
}

// The client may look at the schema in front of a read.
const READ = '{"results":[{"columns":["1"],"types":[""],"values":[[1]]},' +
  '{"columns":["id","name","price"],"types":["integer","text","real"],' +
  '"values":[[1,"Widget A",9.99]]}]}';
const WRITE = '{"results":[{"rows_affected":1}]}';

const answering = (input: string | URL | Request): Promise<Response> =>
  Promise.resolve(new Response(String(input).includes("/db/query") ? READ : WRITE));

// Ids and INSERTs would ask for the schema first.
const client = connect("http://bench:4001", {
  level: "weak",
  exactlyOnce: false,
  fetch: answering as typeof fetch,
});
const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });

const select = () => db.selectFrom("bench").select(["id", "name", "price"]).where("id", "=", 1);
const update = () =>
  db.updateTable("bench").set({ name: "Widget A", price: 9.99 }).where("id", "=", 1);
const read = select().compile();
const write = update().compile();

const times = await interleave({
  query: () => client.query(read.sql, read.parameters as [number]),
  compiledRead: () => db.executeQuery(read),
  builtRead: () => select().execute(),
  execute: () => client.execute(write.sql, write.parameters as [string, number, number]),
  compiledWrite: () => db.executeQuery(write),
  builtWrite: () => update().execute(),
  raw: () => db.executeQuery(CompiledQuery.raw(read.sql, [1])),
}, 5000);

function print(name: string, time: number, baseline: number): void {
  const micro = (time: number): string => `${(time * 1000).toFixed(1).padStart(6)} µs`;
  process.stdout.write(
    `${name.padEnd(32)} ${micro(time)}, of which ${
      micro(time - baseline)
    } are on top of the client\n`,
  );
}

print("select, compiled", times.compiledRead, times.query);
print("select, raw", times.raw, times.query);
print("select, built each time", times.builtRead, times.query);
print("update, compiled", times.compiledWrite, times.execute);
print("update, built each time", times.builtWrite, times.execute);
