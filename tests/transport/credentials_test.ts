import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { Authorization, basic } from "../../src/transport/credentials.ts";

describe("basic()", () => {
  it("encodes UTF-8 and an empty password", () => {
    assert.equal(basic({ username: "bob", password: "" }), `Basic ${btoa("bob:")}`);
    const bytes = Uint8Array.from(
      atob(basic({ username: "ü", password: "€" }).slice(6)),
      (c) => c.charCodeAt(0),
    );
    assert.equal(new TextDecoder().decode(bytes), "ü:€");
  });
});

describe("Authorization", () => {
  it("has no header without credentials", async () => {
    assert.equal(await new Authorization(undefined).header(), undefined);
  });

  it("asks once for calls at the same time, and again for the next one", async () => {
    let asked = 0;
    const authorization = new Authorization(() => {
      asked++;
      return Promise.resolve({ username: "u", password: String(asked) });
    });
    const [one, two] = await Promise.all([authorization.header(), authorization.header()]);
    assert.equal(one, two);
    assert.equal(asked, 1);
    assert.equal(await authorization.header(), basic({ username: "u", password: "2" }));
  });

  it("does not wait for ever for an answer that another call waits for", async () => {
    let asked = 0;
    const authorization = new Authorization(() => {
      if (++asked === 1) return new Promise(() => {});
      return Promise.resolve({ username: "u", password: "p" });
    });
    void authorization.header();
    const real = performance.now;
    performance.now = () => real.call(performance) + 10_000;
    try {
      assert.equal(await authorization.header(), basic({ username: "u", password: "p" }));
    } finally {
      performance.now = real;
    }
  });

  it("stops waiting for another call, which may be gone, and asks by itself", async () => {
    let asked = 0;
    const authorization = new Authorization(() => {
      if (++asked === 1) return new Promise(() => {});
      return Promise.resolve({ username: "u", password: "p" });
    });
    void authorization.header();
    const real = globalThis.setTimeout;
    // The test before may have left its timer to the next call, which would not set one then.
    await new Promise((resolve) => real(resolve));
    const limits: (number | undefined)[] = [];
    const soon = (run: () => void, limit?: number, ...more: []) => {
      limits.push(limit);
      return real(run, 1, ...more);
    };
    globalThis.setTimeout = soon as typeof setTimeout;
    try {
      assert.equal(await authorization.header(), basic({ username: "u", password: "p" }));
    } finally {
      globalThis.setTimeout = real;
    }
    assert.ok(limits.length === 1 && limits[0]! <= 3_000);
  });

  it("ends the wait for another call with the signal, and asks nobody", async () => {
    let asked = 0;
    const authorization = new Authorization(() => {
      asked++;
      return new Promise(() => {});
    });
    void authorization.header();
    const controller = new AbortController();
    const waiting = assert.rejects(async () => await authorization.header(controller.signal), /no/);
    controller.abort(new Error("no"));
    await waiting;
    assert.equal(asked, 1);
  });

  it("asks again after a failure, thrown or rejected", async () => {
    let asked = 0;
    const authorization = new Authorization(() => {
      if (++asked === 1) throw new Error("vault is sealed");
      return Promise.resolve({ username: "u", password: "p" });
    });
    await assert.rejects(async () => await authorization.header(), /vault is sealed/);
    assert.equal(await authorization.header(), basic({ username: "u", password: "p" }));
  });
});

it("sends nothing of a call that ended before `credentials` answered, by a `fetch` that ignores its signal", async () => {
  let sent = 0;
  const answer = Promise.withResolvers<{ username: string; password: string }>();
  const asked = Promise.withResolvers<void>();
  const db = connect("http://node:4001", {
    fetch: () => {
      sent++;
      return Promise.resolve(new Response('{"results":[{"rows_affected":1}]}'));
    },
    credentials: () => {
      asked.resolve();
      return answer.promise;
    },
    exactlyOnce: false,
  });
  const stop = new AbortController();
  const write = db.execute("DELETE FROM t", [], { signal: stop.signal });
  await asked.promise;
  const reason = new Error("enough");
  stop.abort(reason);
  await assert.rejects(write, reason);
  answer.resolve({ username: "u", password: "p" });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(sent, 0);
  await db.close();
});
