import assert from "node:assert/strict";
import { sleep } from "./http.ts";
import { test } from "./test.ts";

test("test() registers a test that leaves nothing behind", async () => {
  await sleep(1);
  assert.ok(true);
});
