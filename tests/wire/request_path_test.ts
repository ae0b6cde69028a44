import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { path } from "../../src/wire/request_path.ts";

describe("path()", () => {
  it("is the endpoint alone without flags", () => {
    assert.equal(path("/db/query", {}), "/db/query");
  });

  it("names flags that are true and leaves the others out", () => {
    assert.equal(
      path("/db/execute", {
        blob_array: true,
        transaction: false,
        freshness: undefined,
        norwtime: true,
      }),
      "/db/execute?blob_array&norwtime",
    );
  });

  it("writes durations in Go's form", () => {
    const query = { level: "none", freshness: 500, linearizable_timeout: 1.5 };
    assert.equal(
      path("/db/query", query),
      "/db/query?level=none&freshness=500ms&linearizable_timeout=1500us",
    );
  });

  it("keeps durations within what Go can hold", () => {
    for (const freshness of [Infinity, Number.MAX_VALUE, 1e16]) {
      assert.equal(path("/db/query", { freshness }), "/db/query?freshness=9223372036854ms");
    }
    assert.equal(path("/db/query", { freshness: 1e-9 }), "/db/query?freshness=1us");
  });

  it("encodes texts", () => {
    assert.equal(path("/db/query", { level: "a b,c&d;e" }), "/db/query?level=a%20b%2Cc%26d%3Be");
  });
});
