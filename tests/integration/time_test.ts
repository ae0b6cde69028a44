// One deadline over all attempts, and the caller's own reason at every phase.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  type ConnectOptions,
  InterfaceError,
  OperationalError,
  OutcomeUnknownError,
  TimeoutError,
} from "../../mod.ts";
import { until } from "../support/http.ts";
import { type Fault, type Proxy, startProxy } from "../support/proxy.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cell, closing, failureOf, settlesWithin } from "./helpers.ts";

const INSERT = "INSERT INTO t VALUES(1)";

/** Far beyond every deadline here: only something that hangs takes longer. */
const FAR = 10_000;

const NO_LEADER = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 16\r\n\r\nleader not found";
const HALF = 'HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{"results":[{"rows';

/** Ways not to answer. */
const SILENT = {
  "swallow": "swallow",
  "swallow answer": "swallow answer",
  "half": { answer: HALF },
} as const;
const WAYS = Object.keys(SILENT) as readonly (keyof typeof SILENT)[];

describe("time", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  let proxies: Proxy[];

  before(async () => {
    server = await startRqlited();
  });

  after(async () => await server.stop());

  beforeEach(async () => {
    await server.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(n)");
    proxies = [];
    for (let i = 0; i < 3; i++) proxies.push(await startProxy(server.url));
  });

  afterEach(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  function all(fault: Fault): void {
    for (const proxy of proxies) proxy.plan = () => fault;
  }

  const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);
  const sent = () => sumOf(proxies.map((proxy) => proxy.requests.length));
  const open = (options: ConnectOptions = {}) => connect(proxies.map(({ url }) => url), options);

  /** A client whose nodes all fall silent in one way. */
  interface Silence {
    readonly db: Client;
    readonly way: keyof typeof SILENT;
    readonly silent: (now: boolean) => void;
    /** Requests of this client to each node. */
    readonly asked: () => readonly number[];
  }

  /** Runs it for each way to be silent, at the same time: each waits for its limit. */
  async function inSilence(
    options: ConnectOptions,
    body: (silence: Silence) => Promise<void>,
  ): Promise<void> {
    const now = new Set<string | undefined>();
    for (const proxy of proxies) {
      proxy.plan = ({ headers: { way } }) =>
        now.has(way) ? SILENT[way as keyof typeof SILENT] : "pass";
    }
    await Promise.all(
      WAYS.map((way) =>
        closing(open({ ...options, headers: { way } }), (db) =>
          body({
            db,
            way,
            silent: (silent) => void (silent ? now.add(way) : now.delete(way)),
            asked: () =>
              proxies.map(({ requests }) =>
                requests.filter(({ headers }) => headers["way"] === way).length
              ),
          }))
      ),
    );
  }

  /** Fails where the call hangs. */
  async function timely(call: Promise<unknown>): Promise<unknown> {
    assert.ok(await settlesWithin(FAR, call), "it did not end");
    return await failureOf(call);
  }

  it("one deadline holds over all attempts of a read, and each silent node gets a part", () =>
    inSilence({}, async ({ db, silent, asked }) => {
      silent(true);
      const error = await timely(db.query("SELECT 1", [], { timeout: 3000 }));
      assert.ok(error instanceof TimeoutError, String(error));
      assert.ok(asked().filter((n) => n > 0).length >= 2, String(asked()));
    }));

  it("a node that answers is found behind silent ones in time", async () => {
    proxies[0]!.plan = () => "swallow";
    proxies[1]!.plan = () => ({ answer: HALF });
    await closing(open(), async (db) => {
      const { rows } = await db.query("SELECT 1 AS n", [], { timeout: 4000, level: "weak" });
      assert.deepEqual(rows, [{ n: 1 }]);
    });
  });

  it("a plain write is given up once, and its outcome is unknown", async () => {
    await inSilence({ exactlyOnce: false }, async ({ db, silent, asked }) => {
      await db.execute("INSERT INTO t SELECT 1 WHERE 0");
      const before = asked();
      silent(true);
      const error = await timely(db.execute(INSERT, [], { timeout: 2000 }));
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.ok(error.cause instanceof TimeoutError);
      assert.equal(sumOf(asked()), sumOf(before) + 1);
    });
    assert.ok(Number(await cell(server, "SELECT count(*) FROM t")) <= 1);
  });

  it("a write whose fence is not answered either is unknown in time, and settled later", () =>
    inSilence({}, async ({ db, silent, way }) => {
      await db.execute("DELETE FROM t WHERE n = ?", [way]);
      silent(true);
      const error = await timely(db.execute("INSERT INTO t VALUES(?)", [way], { timeout: 3000 }));
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      silent(false);
      const done = way === "swallow answer";
      assert.equal(await db.outcome(error.id!), done ? "committed" : "not committed");
      assert.equal(await db.value("SELECT count(*) FROM t WHERE n = ?", [way]), done ? 1 : 0);
    }));

  it("a write that has not asked yet what it needs is a TimeoutError, and nothing is applied", async () => {
    all("swallow");
    await closing(open(), async (db) => {
      const error = await timely(db.execute(INSERT, [], { timeout: 300 }));
      assert.ok(error instanceof TimeoutError, String(error));
    });
    assert.equal(await cell(server, "SELECT count(*) FROM t"), 0);
  });

  it("no time at all is a TimeoutError, also of a write, and nothing is sent", async () => {
    await closing(open(), async (db) => {
      const options = { timeout: Number.MIN_VALUE };
      assert.ok(await timely(db.query("SELECT 1", [], options)) instanceof TimeoutError);
      const error = await timely(db.execute(INSERT, [], options));
      assert.ok(error instanceof TimeoutError, String(error));
    });
    assert.equal(sent(), 0);
  });

  it("a write that still waits for credentials was not sent, and says so", async () => {
    const credentials = () => new Promise<never>(() => {});
    const db = open({ credentials });
    const error = await timely(db.execute(INSERT, [], { timeout: 200 }));
    assert.ok(error instanceof TimeoutError, String(error));
    assert.equal(error.retryable, true);
    const ended = timely(db.execute(INSERT));
    await db.close();
    assert.ok(await ended instanceof InterfaceError);
    assert.equal(sent(), 0);
  });

  it("a write that every node refused before the deadline was not applied, and says so", async () => {
    all({ answer: NO_LEADER });
    await closing(open({ retries: 100 }), async (db) => {
      const error = await timely(db.execute(INSERT, [], { timeout: 2000 }));
      assert.ok(error instanceof OperationalError, String(error));
      assert.ok(!(error instanceof OutcomeUnknownError));
      assert.equal(error.retryable, true);
      assert.ok(sent() >= 2);
    });
    assert.equal(await cell(server, "SELECT count(*) FROM t"), 0);
  });

  /** How far a call has come when it is ended. */
  const PHASES: readonly [
    name: string,
    fault: Fault,
    options: ConnectOptions,
    arrived: () => boolean,
  ][] = [
    ["waiting for the headers", "swallow", {}, () => sent() > 0],
    ["waiting for the headers of what was done", "swallow answer", {}, () => sent() > 0],
    ["in the body", { answer: HALF }, {}, () => sent() > 0],
    ["during the back-off", { answer: NO_LEADER }, { retries: 1000 }, () => sent() > 1],
    [
      "waiting for credentials",
      "pass",
      { credentials: () => new Promise(() => {}) },
      () => true,
    ],
  ];

  /** Calls, waits until it has come that far, and ends it. */
  async function end(
    db: Client,
    call: (db: Client) => Promise<unknown>,
    arrived: () => boolean,
    stop: () => void,
  ): Promise<unknown> {
    const failure = timely(call(db));
    await until("request", () => Promise.resolve(arrived() || undefined));
    stop();
    return await failure;
  }

  for (const [phase, fault, options, arrived] of PHASES) {
    it(`the caller's reason comes back as it is: ${phase}`, async () => {
      all(fault);
      for (const reason of [new Error("enough"), "a text", { of: "any kind" }]) {
        const controller = new AbortController();
        const { signal } = controller;
        const calls = [
          (db: Client) => db.query("SELECT 1", [], { signal }),
          (db: Client) => db.execute(INSERT, [], { signal }),
          (db: Client) => db.batch([INSERT, "SELECT 1"], { signal }),
        ];
        for (const proxy of proxies) proxy.reset();
        await closing(open(options), async (db) => {
          const stop = () => controller.abort(reason);
          assert.equal(await end(db, calls[0]!, arrived, stop), reason);
          for (const call of calls) assert.equal(await timely(call(db)), reason, "aborted before");
        });
      }
      const controller = new AbortController();
      for (const proxy of proxies) proxy.reset();
      await closing(open(options), async (db) => {
        const { signal } = controller;
        const write = (client: Client) => client.execute(INSERT, [], { signal });
        const failure = await end(db, write, arrived, () => controller.abort());
        assert.equal(failure, signal.reason);
        assert.equal((failure as Error).name, "AbortError");
      });
    });

    it(`close() ends what is under way: ${phase}`, async () => {
      all(fault);
      const read = open(options);
      const stopRead = () => void read.close();
      const failure = await end(read, (db) => db.query("SELECT 1"), arrived, stopRead);
      assert.ok(failure instanceof InterfaceError, String(failure));
      for (const proxy of proxies) proxy.reset();
      const write = open(options);
      const stopWrite = () => void write.close();
      const unknown = await end(write, (db) => db.execute(INSERT), arrived, stopWrite);
      const closed = unknown instanceof OutcomeUnknownError ? unknown.cause : unknown;
      assert.ok(closed instanceof InterfaceError, String(unknown));
      await assert.rejects(write.execute(INSERT), InterfaceError);
    });
  }

  it("a signal that has fired already ends the call before anything is sent", async () => {
    const reason = { any: "object" };
    const signal = AbortSignal.abort(reason);
    await closing(open(), async (db) => {
      assert.equal(await timely(db.query("SELECT 1", [], { signal })), reason);
      assert.equal(await timely(db.execute(INSERT, [], { signal })), reason);
      assert.equal(await timely(db.batch([INSERT], { signal })), reason);
    });
    await closing(open({ signal }), async (db) => {
      assert.equal(await timely(db.query("SELECT 1")), reason);
    });
    assert.equal(sent(), 0);
  });

  it("AbortSignal.timeout() ends a call with its own reason", async () => {
    all("swallow");
    await closing(open(), async (db) => {
      const signal = AbortSignal.timeout(100);
      const error = await timely(db.query("SELECT 1", [], { signal }));
      assert.equal(error, signal.reason);
      assert.equal((error as Error).name, "TimeoutError");
    });
  });

  it("a signal that fires after the call has ended does nothing", async () => {
    const controller = new AbortController();
    await closing(open(), async (db) => {
      const { signal } = controller;
      assert.equal((await db.execute(INSERT, [], { signal })).rowsAffected, 1);
      controller.abort();
      assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
    });
  });
});
