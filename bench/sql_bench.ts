/** Reading and preparing SQL. */

import { analyse } from "../src/sql/analyse.ts";
import { prepare } from "../src/sql/prepare.ts";
import { splitScript } from "../src/sql/split.ts";
import { tokenize } from "../src/sql/tokenize.ts";
import { script } from "./support/samples.ts";

const insert = 'INSERT INTO "order_items" ("order_id", "product", "quantity") VALUES (?, ?, ?)';
const now = new Date();
let fresh = 0;

/** A text that no cache has seen, as long as `insert` and a little. */
function unseen(): string {
  return `${insert} -- ${fresh++}`;
}

Deno.bench("tokenize() 1 MB of SQL", { group: "script" }, () => {
  tokenize(script);
});

Deno.bench("splitScript() 1 MB of SQL", { group: "script" }, () => {
  splitScript(script);
});

Deno.bench("analyse() a text seen before", { group: "analyse" }, () => {
  analyse(insert);
});

Deno.bench("analyse() a new text", { group: "analyse" }, () => {
  analyse(unseen());
});

Deno.bench("prepare() 3 values", { group: "prepare", baseline: true }, () => {
  prepare([insert, 1, "Widget", 2.5], { now });
});

Deno.bench("prepare() 3 values by name", { group: "prepare" }, () => {
  prepare(["INSERT INTO t VALUES(:a, :b, :c)", { a: 1, b: "Widget", c: 2.5 }], { now });
});

Deno.bench("prepare() 3 values, one of them 1 kB of bytes", { group: "prepare" }, () => {
  prepare([insert, 1, new Uint8Array(1000), 2.5], { now });
});

Deno.bench("prepare() a write with datetime('now')", { group: "prepare" }, () => {
  prepare(["UPDATE t SET a = datetime('now') WHERE id = ?", 1], { now });
});
