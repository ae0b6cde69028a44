// Small loops over the most ordinary schema there is. `deno run -A tests/soak/replicas.ts` is the long form.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { LOOPS } from "./loops.ts";

/** Long enough for many ticks of a clock that counts seconds. */
const SIZE = { milliseconds: 3_000, workers: 1 };

const SHORT = { milliseconds: 1_000, workers: 4 };

describe(
  "replicas stay equal, and nothing is refused or lost",
  { skip: skipWithoutRqlited() },
  () => {
    for (const { name, run } of LOOPS.slice(0, 1)) {
      it(`under ${name}, for seconds`, async () => assert.ok(await run(SIZE) > 0));
    }

    for (const { name, run } of LOOPS) {
      it(`under ${name}, by several at once`, async () => assert.ok(await run(SHORT) > 0));
    }
  },
);
