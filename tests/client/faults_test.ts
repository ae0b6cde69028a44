// What is sent again after each fault, and what the error says: for a read, a write, and a write that carries an id.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, OutcomeUnknownError, type RqliteError } from "../../mod.ts";
import { judge } from "../../src/client/judge.ts";
import { Authorization } from "../../src/transport/credentials.ts";
import { Deadline } from "../../src/transport/deadline.ts";
import { HttpTransport } from "../../src/transport/http.ts";
import { Nodes } from "../../src/transport/nodes.ts";
import { type ScriptedFetch, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const NODES = ["http://a:4001", "http://b:4001"];
const RETRIES = 1;
const OK: Step = { body: { results: [{ rows_affected: 1 }] } };

type Kind = "read" | "write" | "idempotent write";

/** Runs one call of a kind against a script. */
async function run(kind: Kind, fetch: ScriptedFetch, timeout: number): Promise<void> {
  const options = {
    fetch: fetch as typeof globalThis.fetch,
    retries: RETRIES,
    timeout,
    level: "weak" as const,
  };
  if (kind === "read") await connect(NODES, options).query("SELECT 1");
  if (kind === "write") await connect(NODES, options).execute("INSERT INTO t VALUES(1)");
  if (kind !== "idempotent write") return;
  const transport = new HttpTransport({
    ...options,
    nodes: new Nodes(NODES),
    authorization: new Authorization(undefined),
    headers: {},
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

/** fault, what the fetch does, then read, write, idempotent write. */
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
  // It was applied; only its result is missing.
  [
    "infinity in the result",
    {
      status: 500,
      body:
        "json: error calling MarshalJSON for type *http.DBResults: json: unsupported value: +Inf\n",
    },
    once("ERR_OPERATIONAL"),
    once(unknown),
    once(unknown),
  ],
];

const KINDS: readonly Kind[] = ["read", "write", "idempotent write"];

describe("a fault on every attempt", () => {
  for (const [name, step, ...expected] of FAULTS) {
    for (const [i, kind] of KINDS.entries()) {
      const { sent, error } = expected[i]!;
      it(`${name}: a ${kind} is sent ${sent === 1 ? "once" : "twice"}, ${error}`, async () => {
        const fetch = scriptedFetch(() => step);
        const silent = name.startsWith("no answer") || name.startsWith("a body");
        const thrown = await run(kind, fetch, silent ? 400 : 30_000).then(
          () => undefined,
          (e: RqliteError) => e,
        );
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
      it(`${name}: a ${kind} ${sent === 2 ? "succeeds" : `fails with ${error}`}`, async () => {
        const fetch = scriptedFetch([step, OK]);
        const silent = name.startsWith("no answer") || name.startsWith("a body");
        const ended = await run(kind, fetch, silent ? 400 : 30_000).then(
          () => "done",
          (e: RqliteError) => e.code,
        );
        assert.equal(ended, sent === 2 ? "done" : error);
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
