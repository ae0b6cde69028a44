import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TextCache } from "../../src/sql/text_cache.ts";

describe("TextCache", () => {
  it("keeps what is used and drops what is not", () => {
    const cache = new TextCache<number>(2, 1000);
    cache.set("used", 0);
    for (let i = 1; i <= 10; i++) {
      cache.set(`text ${i}`, i);
      assert.equal(cache.get("used"), 0);
    }
    assert.equal(cache.get("text 10"), 10);
    assert.equal(cache.get("text 1"), undefined);
  });

  it("is bounded by the length of the texts", () => {
    const cache = new TextCache<number>(1000, 80);
    for (let i = 0; i < 100; i++) cache.set(`text ${i}`, i);
    const kept = Array.from({ length: 100 }, (_, i) => cache.get(`text ${i}`));
    assert.ok(kept.filter((value) => value !== undefined).length <= 24);
  });

  it("does not keep a text that is too long", () => {
    const cache = new TextCache<number>(10, 80);
    cache.set("x".repeat(11), 1);
    assert.equal(cache.get("x".repeat(11)), undefined);
  });
});
