// What is sent again after each fault, and what the error says: for a read, a plain write, and a write that carries an
// id; and that a write as it is by default is applied exactly once through all of it.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Client, connect, OutcomeUnknownError, type Result, RqliteError } from "../../mod.ts";
import { judge } from "../../src/calls/refusals.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { Authorization } from "../../src/transport/credentials.ts";
import { Deadline } from "../../src/time/deadline.ts";
import { HttpTransport } from "../../src/transport/http.ts";
import { Nodes } from "../../src/transport/nodes.ts";
import { holdsId } from "../support/commits.ts";
import { type ScriptedFetch, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const NODES = ["http://a:4001", "http://b:4001"];
const RETRIES = 1;
const OK: Step = { body: { results: [{ rows_affected: 1 }] } };

type Kind = "read" | "plain write" | "idempotent write";

/** Runs one call of a kind against a script. */
async function run(kind: Kind, fetch: ScriptedFetch, timeout: number): Promise<void> {
  const options = {
    fetch: fetch as typeof globalThis.fetch,
    retries: RETRIES,
    timeout,
    level: "weak" as const,
  };
  if (kind === "read") await connect(NODES, options).query("SELECT 1");
  if (kind === "plain write") {
    // Not an INSERT: that asks for the schema first.
    await connect(NODES, { ...options, exactlyOnce: false }).execute("DELETE FROM t");
  }
  if (kind !== "idempotent write") return;
  const transport = new HttpTransport({
    ...options,
    nodes: new Nodes(NODES),
    authorization: new Authorization(undefined),
    headers: {},
    maxResponseSize: Infinity,
  });
  await transport.send({
    method: "POST",
    path: "/db/execute",
    body: '["INSERT INTO t VALUES(1)"]',
    leader: true,
    write: true,
    repeatable: true,
    statements: 1,
    deadline: new Deadline(timeout),
    judge: (answer) => judge({ write: true, linearizable: false, results: 1 }, answer),
  });
}

const refused = new TypeError("fetch failed", {
  cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
});
const reset = new TypeError("fetch failed", {
  cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
});
const HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>";
const top = (error: string): Step => ({ body: { results: [], error } });

/** Attempts made and the error of each kind. "!" is an error that says nothing was applied. */
interface Expected {
  readonly sent: number;
  readonly error: string;
}
const twice = (error: string): Expected => ({ sent: 2, error });
const once = (error: string): Expected => ({ sent: 1, error });
const unknown = "ERR_OUTCOME_UNKNOWN";

/** fault, what the fetch does, then read, plain write, idempotent write. */
const FAULTS: readonly [string, Step, Expected, Expected, Expected][] = [
  // Certainly not applied: every kind is sent again.
  [
    "connection refused",
    { reject: refused },
    twice("ERR_CONNECTION"),
    twice("ERR_CONNECTION"),
    twice("ERR_CONNECTION"),
  ],
  [
    "503 leader not found",
    { status: 503, body: "leader not found\n" },
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
  ],
  [
    "500 leader not found",
    { status: 500, body: "leader not found\n" },
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
  ],
  [
    "not leader",
    top("not leader"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
  ],
  [
    "store not open",
    top("store not open"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
  ],
  [
    "leadership transfer",
    top("leadership transfer in progress"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
    twice("ERR_OPERATIONAL"),
  ],
  // Certainly not applied, and no repeat can help.
  [
    "401",
    { status: 401 },
    once("ERR_AUTHENTICATION"),
    once("ERR_AUTHENTICATION"),
    once("ERR_AUTHENTICATION"),
  ],
  [
    "400",
    { status: 400, body: "invalid JSON body\n" },
    once("ERR_PROGRAMMING"),
    once("ERR_PROGRAMMING"),
    once("ERR_PROGRAMMING"),
  ],
  // It may have been applied: only what can be repeated is.
  ["connection reset", { reject: reset }, twice("ERR_CONNECTION"), once(unknown), twice(unknown)],
  [
    "an error of any other kind",
    { reject: new Error("Network connection lost.") },
    twice("ERR_CONNECTION"),
    once(unknown),
    twice(unknown),
  ],
  [
    "cut after the headers",
    { body: "", breaksWith: reset },
    twice("ERR_CONNECTION"),
    once(unknown),
    twice(unknown),
  ],
  [
    "cut in the body",
    { body: '{"results":[{"rows', breaksWith: reset },
    twice("ERR_CONNECTION"),
    once(unknown),
    twice(unknown),
  ],
  ["no answer ever", { hang: true }, twice("ERR_TIMEOUT"), once(unknown), twice(unknown)],
  [
    "a body without an end",
    { body: '{"res', stalls: true },
    twice("ERR_TIMEOUT"),
    once(unknown),
    twice(unknown),
  ],
  [
    "malformed JSON",
    { body: '{"results":[{"rows_aff' },
    twice("ERR_INTERNAL"),
    once(unknown),
    twice(unknown),
  ],
  ["HTML with status 200", { body: HTML }, twice("ERR_INTERNAL"), once(unknown), twice(unknown)],
  [
    "too few results",
    { body: { results: [] } },
    twice("ERR_INTERNAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "too many results",
    { body: { results: [{}, {}, {}] } },
    twice("ERR_INTERNAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "502 of a proxy",
    { status: 502, body: HTML },
    twice("ERR_OPERATIONAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "503 of a proxy",
    { status: 503, body: HTML },
    twice("ERR_OPERATIONAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "leadership lost",
    top("leadership lost while committing log"),
    twice("ERR_OPERATIONAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "lost between nodes",
    top("read protobuf length: EOF"),
    twice("ERR_OPERATIONAL"),
    once(unknown),
    twice(unknown),
  ],
  [
    "a text nobody knows",
    top("the moon is full"),
    twice("ERR_OPERATIONAL"),
    once(unknown),
    twice(unknown),
  ],
];

const KINDS: readonly Kind[] = ["read", "plain write", "idempotent write"];

/** It was applied; only its result is missing. */
const INFINITY: Step = {
  status: 500,
  body: "json: error calling MarshalJSON for type *http.DBResults: json: unsupported value: +Inf\n",
};

function isSilent(name: string): boolean {
  return name.startsWith("no answer") || name.startsWith("a body");
}

/** Milliseconds for a call: long enough for a machine that stalls. */
const limitOf = (name: string): number => isSilent(name) ? 3_000 : 30_000;

/** What a test does. Where that is to wait for its limit, it begins with the suite: all of them wait at the same time. */
function begun<T>(name: string, work: () => Promise<T>): () => Promise<T> {
  if (!isSilent(name)) return work;
  let early: Promise<T> | undefined;
  before(() => {
    early = work();
    early.catch(() => {});
  });
  return () => early!;
}

describe("a fault on every attempt", () => {
  for (const [name, step, ...expected] of FAULTS) {
    for (const [i, kind] of KINDS.entries()) {
      const { sent, error } = expected[i]!;
      const fetch = scriptedFetch(() => step);
      const failed = begun(
        name,
        () => run(kind, fetch, limitOf(name)).then(() => undefined, (e: RqliteError) => e),
      );
      it(`${name}: a ${kind} is sent ${sent === 1 ? "once" : "twice"}, ${error}`, async () => {
        const thrown = await failed();
        assert.equal(fetch.calls.length, sent);
        assert.equal(thrown?.code, error);
        if (thrown instanceof OutcomeUnknownError) assert.equal(thrown.retryable, false);
        if (sent === 2) {
          assert.notEqual(new URL(fetch.calls[0]!.url).host, new URL(fetch.calls[1]!.url).host);
        }
      });
    }
  }
});

describe("a fault on the first attempt only", () => {
  for (const [name, step, ...expected] of FAULTS) {
    for (const [i, kind] of KINDS.entries()) {
      const { sent, error } = expected[i]!;
      const ended = begun(name, () => {
        const fetch = scriptedFetch([step, OK]);
        return run(kind, fetch, limitOf(name)).then(() => "done", (e: RqliteError) => e.code);
      });
      it(`${name}: a ${kind} ${sent === 2 ? "succeeds" : `fails with ${error}`}`, async () => {
        assert.equal(await ended(), sent === 2 ? "done" : error);
      });
    }
  }
});

describe("an ambiguous attempt", () => {
  it("stays ambiguous when a later copy is refused for certain", async () => {
    const later: Step[] = [
      { reject: refused },
      { status: 503, body: "leader not found" },
      top("not leader"),
      { status: 401 },
    ];
    for (const refusal of later) {
      const fetch = scriptedFetch([{ reject: reset }, refusal]);
      await assert.rejects(run("idempotent write", fetch, 30_000), { code: unknown });
    }
  });
});

/** A client of an embedded engine whose first request with an id meets a fault. */
class Faulty {
  readonly engine: EmbeddedEngine = embedded();
  readonly db: Client;
  readonly #step: Step;
  readonly #seen: boolean;
  #met: { readonly url: string; readonly init: RequestInit } | undefined;

  /** @param seen The engine does what the request asks for, and the fault befalls the answer. */
  constructor(step: Step, seen: boolean, timeout: number) {
    this.#step = step;
    this.#seen = seen;
    const fetch = (input: string | URL | Request, init: RequestInit = {}) =>
      this.#fetch(String(input), init);
    this.db = connect(NODES, { fetch: fetch as typeof globalThis.fetch, retries: 1, timeout });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#met !== undefined || !holdsId(await textOf(init))) {
      return await this.engine.fetch(url, init);
    }
    this.#met = { url, init };
    if (this.#seen) await this.engine.fetch(url, init);
    return await scriptedFetch([this.#step])(url, init);
  }

  /** The request that met the fault arrives, maybe once more. */
  async arriveLate(): Promise<void> {
    assert.ok(this.#met !== undefined, "no request met the fault");
    const { signal: _, ...init } = this.#met.init;
    await this.engine.fetch(this.#met.url, init);
  }

  /** How many rows there are, asked past the client. */
  async count(): Promise<number> {
    const { rows } = await connect({ fetch: this.engine.fetch }).query("SELECT count(*) n FROM t");
    return Number(rows[0]!["n"]);
  }
}

async function textOf({ body }: RequestInit): Promise<string> {
  return body === undefined ? "" : await new Response(body).text();
}

type Told = Result | RqliteError;

/** Runs one write by default options through a fault, and tells what became of it. */
async function through(
  [name, step]: readonly [name: string, step: Step, ...rest: unknown[]],
  seen: boolean,
  write: (db: Client) => Promise<Result>,
): Promise<{ told: Told; counts: readonly number[] }> {
  const faulty = new Faulty(step, seen, limitOf(name));
  try {
    await connect({ fetch: faulty.engine.fetch }).execute("CREATE TABLE t(a)");
    const told: Told = await write(faulty.db).catch((error: RqliteError) => error);
    const before = await faulty.count();
    await faulty.arriveLate();
    return { told, counts: [before, await faulty.count()] };
  } finally {
    faulty.engine.close();
  }
}

describe("a fault on the first attempt only, of a write by default", () => {
  const insert = (db: Client) => db.execute("INSERT INTO t VALUES(1)");

  for (const fault of FAULTS) {
    const [name, , , plain, idempotent] = fault;
    const certain = plain.error !== unknown;
    const unseen = begun(name, () => through(fault, false, insert));
    it(`${name}: never seen by the server, it is applied once or fails definitely`, async () => {
      const { told, counts } = await unseen();
      if (idempotent.sent === 2) assert.equal((told as Result).rowsAffected, 1, String(told));
      else assert.equal((told as RqliteError).code, certain ? plain.error : "ERR_OPERATIONAL");
      // A node that refused a request as such has no copy of it.
      const late = certain && told instanceof RqliteError ? counts[1] : 0;
      assert.deepEqual(counts, told instanceof RqliteError ? [0, late] : [1, 1]);
    });
    if (certain) continue;

    const done = begun(name, () => through(fault, true, insert));
    it(`${name}: done by the server, it is applied once, and that is told`, async () => {
      const { told, counts } = await done();
      assert.equal((told as Result).rowsAffected, -1, String(told));
      assert.deepEqual(counts, [1, 1]);
    });

    const returning = begun(
      name,
      () => through(fault, true, (db) => db.execute("INSERT INTO t VALUES(1) RETURNING a")),
    );
    it(`${name}: done by the server, a lost row of RETURNING is told from a lost write`, async () => {
      const { told, counts } = await returning();
      assert.equal((told as RqliteError).code, "ERR_DATA", String(told));
      assert.match((told as RqliteError).message, /was applied/);
      assert.deepEqual(counts, [1, 1]);
    });
  }
});

describe("infinity in the result", () => {
  it("of a read is asked for its column once, and ERR_DATA", async () => {
    const fetch = scriptedFetch(() => INFINITY);
    await assert.rejects(run("read", fetch, 30_000), { code: "ERR_DATA" });
    assert.equal(fetch.calls.length, 2);
  });

  it("of a plain write is ERR_DATA that says that it was applied, without another attempt", async () => {
    const fetch = scriptedFetch(() => INFINITY);
    const expected = { code: "ERR_DATA", message: /^The write was applied/ };
    await assert.rejects(run("plain write", fetch, 30_000), expected);
    assert.equal(fetch.calls.length, 1);
  });

  it("of a write by default is told by its id: applied, or not applied and never will be", async () => {
    const write = (db: Client) => db.execute("INSERT INTO t VALUES(1) RETURNING a");
    for (const seen of [true, false]) {
      const { told, counts } = await through(["infinity", INFINITY], seen, write);
      assert.equal((told as RqliteError).code, "ERR_DATA", String(told));
      const message = seen ? /^The write was applied/ : /^The write was not applied/;
      assert.match((told as RqliteError).message, message);
      assert.deepEqual(counts, seen ? [1, 1] : [0, 0]);
    }
  });
});
