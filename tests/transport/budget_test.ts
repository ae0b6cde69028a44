// What a cluster receives from many callers while it is dying, and that they survive if it is not.
import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { type Client, connect, ConnectionError, RqliteError } from "../../mod.ts";
import { RetryBudget } from "../../src/transport/retry.ts";

const CALLERS = 1_000;

/** So many at once, one for ten calls, one for each tenth of a second of a run, and one for each success. */
const allowed = (calls: number, milliseconds: number) => calls * 1.1 + 100 + milliseconds / 100;

const reset = new TypeError("fetch failed", {
  cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
});
const leaderless = () => new Response("leader not found", { status: 503 });
const rows = () => Response.json({ results: [{ columns: ["1"], types: [""], values: [[1]] }] });

/** Ways for a cluster to die. */
const DEATHS: readonly [name: string, die: () => Response, said: RegExp][] = [
  ["has no leader", leaderless, /leader not found/],
  ["cuts all connections", () => {
    throw reset;
  }, /read ECONNRESET/],
];

const read = (db: Client) => db.query("SELECT 1", [], { level: "weak" });
const write = (db: Client) => db.execute("DELETE FROM t", [], { exactlyOnce: false });

/** What a crowd of callers did and heard. */
interface Told {
  readonly errors: readonly unknown[];
  readonly received: number;
  readonly allowed: number;
}

/** Many callers at once of one client, while all answers are such. */
async function crowd(
  call: (db: Client) => Promise<unknown>,
  answer: () => Response | Promise<Response>,
  callers = CALLERS,
): Promise<Told> {
  let received = 0;
  const fetch = async (): Promise<Response> => {
    received++;
    // As far away as a network.
    await new Promise((resolve) => setTimeout(resolve, 1));
    return await answer();
  };
  const db = connect({ fetch, coalesce: false });
  const started = performance.now();
  const settled = await Promise.allSettled(Array.from({ length: callers }, () => call(db)));
  const most = allowed(callers, performance.now() - started);
  await db.close();
  const errors = settled.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
  return { errors, received, allowed: most };
}

/** Many callers of a cluster that has a leader a second after the last repeat that is saved was spent in vain. */
function election(
  call: (db: Client) => Promise<unknown>,
  answer: () => Response,
): Promise<Told> {
  let heard = 0;
  let elected = false;
  return crowd(call, () => {
    if (elected) return answer();
    if (++heard === CALLERS + 100) setTimeout(() => elected = true, 1_000);
    return leaderless();
  });
}

/** Fewer callers of a cluster that is back, and takes so long for an answer that the budget grows slowly. */
function recovery(): Promise<Told> {
  let heard = 0;
  return crowd(read, async () => {
    if (++heard <= 300) return leaderless();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return rows();
  }, 200);
}

/** What `ready()` says of two nodes that are not, once calls of the same client have spent the budget. */
async function readiness(): Promise<boolean> {
  const spent = Promise.withResolvers<void>();
  let received = 0;
  const fetch = (input: unknown): Promise<Response> => {
    if (String(input).includes("/readyz")) return Promise.resolve(leaderless());
    if (++received === 300) spent.resolve();
    return Promise.reject(reset);
  };
  const db = connect(["http://a:4001", "http://b:4001"], {
    fetch: fetch as typeof globalThis.fetch,
    coalesce: false,
  });
  const calls = Array.from({ length: 200 }, () => read(db).catch(() => {}));
  await spent.promise;
  try {
    return await db.ready({ timeout: 1_000 });
  } finally {
    await db.close();
    await Promise.all(calls);
  }
}

describe(`${CALLERS} callers of a cluster`, () => {
  let dying: readonly Told[];
  let writing: Told;
  let elected: Told;
  let slow: Told;
  let ready: unknown;

  before(async () => {
    // At the same time, as most of it is waiting.
    [ready, writing, elected, slow, ...dying] = await Promise.all([
      readiness().catch((error: unknown) => error),
      crowd(write, leaderless),
      election(read, rows),
      recovery(),
      ...DEATHS.map(([, die]) => crowd(read, die)),
    ]);
  });

  for (const [i, [name, , said]] of DEATHS.entries()) {
    it(`that ${name} send little more than one request each, and are told why`, () => {
      const { errors, received, allowed } = dying[i]!;
      assert.equal(errors.length, CALLERS);
      assert.ok(received > CALLERS, "some were repeated");
      assert.ok(received <= allowed, `${received} requests, ${allowed} allowed`);
      const spent = errors.filter((error) => String(error).includes("budget"));
      assert.ok(spent.length > CALLERS / 2, String(errors[0]));
      for (const error of spent) {
        assert.ok(error instanceof RqliteError && said.test(error.message), String(error));
      }
    });
  }

  it("that cuts all connections keep the class, the code and the cause of their errors", () => {
    const error = dying[1]!.errors.find((one) => String(one).includes("budget"));
    assert.ok(error instanceof ConnectionError);
    const { code, retryable, node, cause } = error;
    assert.deepEqual([code, retryable, node], ["ERR_CONNECTION", true, "http://localhost:4001"]);
    assert.equal(cause, reset);
  });

  it("that has no leader send no more for writes, and know that nothing was applied", () => {
    const { errors, received, allowed } = writing;
    assert.ok(received <= allowed, `${received} requests, ${allowed} allowed`);
    assert.equal(errors.length, CALLERS);
    assert.ok(errors.every((error) => error instanceof RqliteError && error.retryable));
  });

  it("that is not ready hear that of ready() when the budget is spent", () => {
    assert.equal(ready, false);
  });

  it("that finds a leader when the budget is spent all succeed", () => {
    const { errors, received, allowed } = elected;
    assert.deepEqual(errors, []);
    assert.ok(received >= 2 * CALLERS + 100, `${received} requests`);
    assert.ok(received <= allowed + CALLERS, `${received} requests`);
  });

  it("that answers slowly when the budget is spent all wait for as long as others succeed", () => {
    assert.deepEqual(slow.errors, []);
  });
});

describe("RetryBudget", () => {
  const real = performance.now;
  let now: number;
  let budget: RetryBudget;

  beforeEach(() => {
    now = 1_000;
    performance.now = () => now;
    budget = new RetryBudget();
    while (budget.take());
  });

  afterEach(() => {
    performance.now = real;
  });

  const repeats = (): number => {
    let count = 0;
    while (budget.take()) count++;
    return count;
  };

  it("begins with a hundred repeats, and never saves more", () => {
    assert.equal(new Array(100).fill(new RetryBudget()).filter((one) => one.take()).length, 100);
    now += 1e9;
    for (let i = 0; i < 1_000; i++) budget.succeeded();
    assert.equal(repeats(), 100);
  });

  it("gains a repeat by ten calls, by a success, and by a tenth of a second", () => {
    for (let i = 0; i < 11; i++) budget.called();
    assert.equal(repeats(), 1);
    budget.succeeded();
    assert.equal(repeats(), 1);
    now += 100;
    assert.equal(repeats(), 1);
    now += 1_000;
    assert.equal(repeats(), 10);
  });
});
