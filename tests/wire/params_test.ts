import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { path } from "../../src/wire/params.ts";

describe("path()", () => {
  it("is the endpoint alone without flags", () => {
    assert.equal(path("/db/query", {}), "/db/query");
  });

  it("names flags that are true and leaves the others out", () => {
    assert.equal(
      path("/db/execute", {
        blob_array: true,
        transaction: false,
        redirect: undefined,
        norwtime: true,
      }),
      "/db/execute?blob_array&norwtime",
    );
  });

  it("writes durations in Go's form", () => {
    const query = { level: "none", freshness: 500, linearizable_timeout: 1.5, timeout: 0 };
    assert.equal(
      path("/db/query", query),
      "/db/query?level=none&freshness=500ms&linearizable_timeout=1500us&timeout=0ms",
    );
  });

  it("keeps durations within what Go can hold", () => {
    for (const timeout of [Infinity, Number.MAX_VALUE, 1e16]) {
      assert.equal(path("/nodes", { timeout }), "/nodes?timeout=9223372036854ms");
    }
    assert.equal(path("/nodes", { timeout: 1e-9 }), "/nodes?timeout=1us");
  });

  it("encodes texts", () => {
    assert.equal(
      path("/db/backup", { fmt: "sql", tables: "a b,c&d;e" }),
      "/db/backup?fmt=sql&tables=a%20b%2Cc%26d%3Be",
    );
  });
});
