/** `deno bench -A bench/wire_bench.ts`: decoding and encoding beside the bare JSON functions. */

import { analyse } from "../src/sql/analyse.ts";
import { prepare } from "../src/sql/prepare.ts";
import type { IntegerMode } from "../src/sql/value.ts";
import { Answer } from "../src/wire/decode.ts";
import { encode } from "../src/wire/encode.ts";

const ROWS = 100_000;

/** An answer of 100,000 rows with 6 columns. */
function answer(id: (row: number) => string): string {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const score = (i * 0.37).toFixed(2);
    return `[${id(i)},"name ${i}","u${i}@example.com",${score},${i % 2 === 0},"note ${i % 100}"]`;
  });
  return `{"results":[{"columns":["id","name","email","score","active","note"],` +
    `"types":["integer","text","text","real","boolean","text"],"values":[${rows.join(",")}]}]}`;
}

const plain = answer(String);
const snowflakes = answer((i) => String(1_795_354_305_950_081_028n + BigInt(i) * 4096n));
const analysis = analyse("SELECT * FROM users");

function decode(text: string, rows: "object" | "array", integers: IntegerMode): void {
  new Answer(text).result(0, { analysis, rows, integers });
}

const decoding = { group: "decode 100,000 rows" };
Deno.bench("JSON.parse", { ...decoding, baseline: true }, () => void JSON.parse(plain));
Deno.bench("objects", decoding, () => decode(plain, "object", "number"));
Deno.bench("arrays", decoding, () => decode(plain, "array", "number"));
Deno.bench("objects, bigint", decoding, () => decode(plain, "object", "bigint"));

const exact = { group: "decode 100,000 rows with 64-bit ids" };
Deno.bench("JSON.parse (ids rounded)", { ...exact, baseline: true }, () => {
  JSON.parse(snowflakes);
});
Deno.bench("objects, auto (ids exact)", exact, () => decode(snowflakes, "object", "auto"));
Deno.bench("arrays, bigint (ids exact)", exact, () => decode(snowflakes, "array", "bigint"));

const sql = "INSERT INTO users VALUES(?, ?, ?, ?, ?)";
const statements = Array.from(
  { length: 2000 },
  (_, i) => prepare([sql, i, `name ${i}`, i / 3, null, `u${i}@example.com`], { now: new Date(0) }),
);
const bare = statements.map(({ params }) => [sql, ...params]);

const encoding = { group: "encode 10,000 parameters" };
Deno.bench("JSON.stringify", { ...encoding, baseline: true }, () => void JSON.stringify(bare));
Deno.bench("encode()", encoding, () => void encode(statements));
