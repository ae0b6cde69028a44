import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scriptedFetch } from "./scripted_fetch.ts";

describe("scriptedFetch", () => {
  it("plays its steps in order and keeps the calls", async () => {
    const fetch = scriptedFetch([{ body: { results: [] } }, { status: 503, body: "no leader" }]);
    const first = await fetch("http://a/x", { method: "POST", body: "[1]", headers: { a: "b" } });
    assert.deepEqual(await first.json(), { results: [] });
    assert.equal(first.url, "http://a/x");
    const second = await fetch(new URL("http://a/y"));
    assert.equal(second.status, 503);
    assert.equal(await second.text(), "no leader");
    const [call] = fetch.calls;
    assert.equal(call?.method, "POST");
    assert.equal(call?.body, "[1]");
    assert.equal(call?.headers.get("a"), "b");
    assert.equal(fetch.left, 0);
    await assert.rejects(fetch("http://a/z"), /no step 3/);
  });

  it("rejects with the very error given", async () => {
    const reason = new TypeError("fetch failed");
    const fetch = scriptedFetch([{ reject: reason }]);
    await assert.rejects(fetch("http://a/"), (error) => error === reason);
  });

  it("hangs until the signal fires, and rejects with its reason", async () => {
    const controller = new AbortController();
    const fetch = scriptedFetch([{ hang: true }]);
    const answer = fetch("http://a/", { signal: controller.signal });
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 5);
    await assert.rejects(answer, (error) => error === reason);
  });

  it("breaks a body in the middle", async () => {
    const reason = new TypeError("terminated");
    const fetch = scriptedFetch([{ body: '{"resul', breaksWith: reason }]);
    const response = await fetch("http://a/");
    assert.equal(response.status, 200);
    await assert.rejects(response.text());
  });

  it("stalls a body until the signal fires", async () => {
    const controller = new AbortController();
    const fetch = scriptedFetch([{ body: '{"resul', stalls: true }]);
    const response = await fetch("http://a/", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 5);
    await assert.rejects(response.text(), /enough/);
  });
});
