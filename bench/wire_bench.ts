/** Decoding and encoding beside the bare JSON functions. */

import { analyse } from "../src/sql/analyse.ts";
import type { IntegerMode } from "../src/sql/value.ts";
import { Answer } from "../src/wire/decode.ts";
import { encode } from "../src/wire/encode.ts";
import { bareStatements, plainAnswer, snowflakeAnswer, statements } from "./support/samples.ts";

const analysis = analyse("SELECT * FROM users");

function decode(text: string, rows: "object" | "array", integers: IntegerMode): void {
  new Answer(text).result(0, { analysis, rows, integers });
}

const decoding = { group: "decode 100,000 rows" };
Deno.bench("JSON.parse", { ...decoding, baseline: true }, () => void JSON.parse(plainAnswer));
Deno.bench("objects", decoding, () => decode(plainAnswer, "object", "number"));
Deno.bench("arrays", decoding, () => decode(plainAnswer, "array", "number"));
Deno.bench("objects, bigint", decoding, () => decode(plainAnswer, "object", "bigint"));

const exact = { group: "decode 100,000 rows with 64-bit ids" };
Deno.bench("JSON.parse (ids rounded)", { ...exact, baseline: true }, () => {
  JSON.parse(snowflakeAnswer);
});
Deno.bench("objects, auto (ids exact)", exact, () => decode(snowflakeAnswer, "object", "auto"));
Deno.bench("arrays, bigint (ids exact)", exact, () => decode(snowflakeAnswer, "array", "bigint"));

const encoding = { group: "encode 10,000 parameters" };
Deno.bench(
  "JSON.stringify",
  { ...encoding, baseline: true },
  () => void JSON.stringify(bareStatements),
);
Deno.bench("encode()", encoding, () => void encode(statements));
