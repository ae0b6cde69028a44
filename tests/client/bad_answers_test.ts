// What every call makes of answers that are none: an error of its own in time, without reading on for ever.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Client, connect, RqliteError } from "../../mod.ts";
import { verifyReplicas } from "../../src/doctor/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { sleep } from "../support/http.ts";

/** Milliseconds for a call, and how much longer a machine that stalls may need before it is taken to hang. */
const LIMIT = 1_000;
const HANGS = 60_000;

/** How long an answer may be, and how much of one is on its way when it is found to be too long. */
const MOST_BYTES = 100_000;
const MOST_READ = 2_000_000;

const FILE = await fileOf();

async function fileOf(): Promise<Uint8Array> {
  const engine = embedded();
  await using db = connect(engine);
  await db.execute("CREATE TABLE t(a)");
  return new Uint8Array(await new Response(await db.backup()).arrayBuffer());
}

/** Every call that asks a node. */
const CALLS: Readonly<Record<string, (db: Client) => Promise<unknown>>> = {
  query: (db) => db.query("SELECT a FROM t"),
  "weak query": (db) => db.query("SELECT a FROM t", [], { level: "weak", coalesce: false }),
  first: (db) => db.first("SELECT a FROM t"),
  value: (db) => db.value("SELECT a FROM t"),
  execute: (db) => db.execute("INSERT INTO t(b) VALUES(1)"),
  "execute RETURNING": (db) => db.execute("INSERT INTO t(b) VALUES(1) RETURNING a"),
  "execute as it is": (db) => db.execute("DELETE FROM t", [], { exactlyOnce: false }),
  "execute with an id": (db) => db.execute("DELETE FROM t", [], { id: "a" }),
  batch: (db) => db.batch(["INSERT INTO t(b) VALUES(1)", "SELECT a FROM t"]),
  "batch of reads": (db) => db.batch(["SELECT 1", "SELECT a FROM t"]),
  "batch that is not atomic": (db) => db.batch(["DELETE FROM t", "SELECT 1"], { atomic: false }),
  script: (db) => db.script("DELETE FROM t; INSERT INTO t(b) VALUES(1);"),
  iterate: async (db) => {
    for await (const _ of db.iterate("SELECT a FROM t", [], { pageSize: 1 }));
  },
  insertMany: (db) => db.insertMany("t", [{ b: 1 }, { b: 2 }]),
  transaction: (db) =>
    db.transaction(async (tx) => {
      await tx.value("SELECT count(*) FROM t");
      await tx.execute("INSERT INTO t(b) VALUES(1)");
      await tx.query("SELECT a FROM t");
    }),
  "lazy transaction": (db) =>
    db.transaction((tx) => tx.execute("DELETE FROM t"), { mode: "lazy", retries: 0 }),
  outcome: (db) => db.outcome("1.00000000-0000-4000-8000-000000000000"),
  enqueue: (db) => db.enqueue("DELETE FROM t"),
  nodes: (db) => db.nodes(),
  leader: (db) => db.leader(),
  status: (db) => db.status(),
  ready: (db) => db.ready(),
  snapshot: (db) => db.snapshot(),
  stepDown: (db) => db.stepDown(),
  removeNode: (db) => db.removeNode("2"),
  backup: async (db) => void await new Response(await db.backup()).arrayBuffer(),
  "backup as text": async (db) =>
    void await new Response(await db.backup({ format: "sql" })).text(),
  load: (db) => db.load(FILE),
  "load of text": (db) => db.load("CREATE TABLE u(a);"),
  boot: (db) => db.boot(FILE),
  verifyReplicas: (db) => verifyReplicas(db),
};

/** What says nothing in its answer, or may say anything. */
const SILENT: readonly string[] = ["boot", "ready", "removeNode", "snapshot", "status", "stepDown"];

type Make = (real: Response, signal: AbortSignal | undefined) => Response | Promise<Response>;

const json = { headers: { "content-type": "application/json" } };
const says = (body: string): Make => () => new Response(body, json);
const results = (result: unknown): Make => says(JSON.stringify({ results: Array(9).fill(result) }));

let read = 0;

/** A body of pieces without an end. */
function without(end: (signal: AbortSignal | undefined) => Promise<unknown>, size: number): Make {
  return (_, signal) => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await end(signal);
        if (signal?.aborted) return controller.error(signal.reason);
        read += size;
        controller.enqueue(new Uint8Array(size).fill(0x20));
      },
    }, { highWaterMark: 0 });
    return new Response(body, json);
  };
}

const ANSWERS: Readonly<Record<string, Make>> = {
  "half of the right one": async (real) => {
    const text = await real.text();
    return new Response(text.slice(0, text.length / 2), real);
  },
  "nothing": says(""),
  "HTML": () =>
    new Response("<html><h1>Sign in</h1></html>", { headers: { "content-type": "text/html" } }),
  "HTML with status 502": () => new Response("<html>Bad gateway</html>", { status: 502 }),
  "null": says("null"),
  "a list": says("[]"),
  "a number beyond all": says("1e999"),
  "results that are none": says('{"results":"a"}'),
  "results of null": results(null),
  "results of numbers": results(1),
  "columns that are none": results({ columns: [1, {}], types: "text", values: [[1, 2]] }),
  "rows that are none": results({ columns: ["a"], types: ["text"], values: [{ a: 1 }, 7] }),
  "rows that are too short": results({ columns: ["a", "b"], types: ["", ""], values: [[1], []] }),
  "counts that are none": results({ rows_affected: "many", last_insert_id: {} }),
  "errors that are none": says('{"results":[],"error":{"a":[1]}}'),
  "nodes that are none": says('{"nodes":[{"id":7,"api_addr":{}}],"sequence_number":"x"}'),
  "lists in lists": says(`{"results":${"[".repeat(80_000)}${"]".repeat(80_000)}}`),
  "a body that is cut": () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
    return new Response(body, json);
  },
  "too much": says(`{"results":[{"error":"${"x".repeat(4 * MOST_BYTES)}"}]}`),
  "blanks without an end": without(() => sleep(0), 65_536),
  "a blank now and then": without(() => sleep(40), 1),
};

/** Those that also come behind a right one. */
const LATER = ["half of the right one", "HTML", "rows that are too short", "a body that is cut"];

/** Runs a call of which the answers from `first` up to `last` are bad; gives what it ended with. */
async function run(call: string, make: Make, first: number, last: number): Promise<unknown> {
  const engine = embedded();
  await connect(engine).execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
  let asked = 0;
  const fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const real = await engine.fetch(input as string, init);
    const index = asked++;
    return index < first || index > last ? real : await make(real, init.signal ?? undefined);
  };
  const db = connect({
    fetch: fetch as typeof globalThis.fetch,
    timeout: LIMIT,
    maxResponseSize: MOST_BYTES,
    retries: 1,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise((resolve) => timer = setTimeout(resolve, HANGS, new Error("it hangs")));
  try {
    const ended = CALLS[call]!(db).then(() => undefined, (error: unknown) => error);
    return await Promise.race([ended, hangs]);
  } finally {
    clearTimeout(timer);
    await db.close();
    engine.close();
  }
}

/** What is wrong with how the calls end. All of them wait at the same time. */
async function wrongWith(what: string): Promise<string[]> {
  const make = ANSWERS[what]!;
  const silent = what === "HTML" ? ["ready"] : SILENT;
  const runs = Object.keys(CALLS).map(async (name): Promise<string[]> => {
    const errors = [await run(name, make, 0, Infinity)];
    const succeeds = errors[0] === undefined && !silent.includes(name);
    if (LATER.includes(what)) errors.push(await run(name, make, 1, 1));
    return [
      ...succeeds ? [`${name} succeeds`] : [],
      ...errors.filter((error) => error !== undefined && !(error instanceof RqliteError))
        .map((error) => `${name}: ${error instanceof Error ? error.stack : error}`),
    ];
  });
  return (await Promise.all(runs)).flat();
}

describe("a bad answer", () => {
  const found = new Map<string, Promise<string[]>>();
  before(() => {
    for (const what of Object.keys(ANSWERS)) found.set(what, wrongWith(what));
  });

  for (const what of Object.keys(ANSWERS)) {
    it(`of ${what} is an error of the client, in time, for every call`, async () => {
      assert.deepEqual(await found.get(what), []);
    });
  }

  it("without an end is not read to it", async () => {
    await Promise.all(found.values());
    assert.ok(read < Object.keys(CALLS).length * MOST_READ, `${read} bytes`);
  });
});
