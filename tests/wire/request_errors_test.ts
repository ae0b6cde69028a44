import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FATES } from "../../src/wire/request_errors.ts";
import { type Fate, fate } from "../../src/wire/request_errors.ts";

const PREFIX = "node failed to process Execute on remote node at 127.0.0.1:4002: ";
const HTML = "<html><body><h1>Bad Gateway</h1>leader not found</body></html>";
const RESET =
  "read protobuf length: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer";
const REFUSED = "dial tcp 127.0.0.1:14022: connect: connection refused";

const CASES: [status: number, text: string, Fate["applied"], Fate["next"]][] = [
  // Refused before anything was written.
  [503, "leader not found\n", "no", "leaderless"],
  [500, "leader not found\n", "no", "leaderless"],
  [500, "leader address: leader not found\n", "no", "leaderless"],
  [200, "leader not found", "no", "leaderless"],
  [200, PREFIX + "leader not found", "no", "leaderless"],
  [200, "not leader", "no", "elsewhere"],
  [200, PREFIX + "not leader", "no", "elsewhere"],
  [503, "not leader\n", "no", "elsewhere"],
  [200, "node is not the leader", "no", "elsewhere"],
  [200, "store not open", "no", "elsewhere"],
  [200, PREFIX + "store not open", "no", "elsewhere"],
  [200, "store not ready", "no", "elsewhere"],
  [503, "store nodes: store not open\n", "no", "elsewhere"],
  [200, "leadership transfer in progress", "no", "leaderless"],
  [200, "timed out enqueuing operation", "no", "leaderless"],
  [200, "load in progress", "no", "leaderless"],
  [200, "context canceled", "no", "elsewhere"],
  [200, "sql: database is closed", "no", "elsewhere"],
  [500, "queue is closed\n", "no", "elsewhere"],

  // The request is wrong, or its sender.
  [400, "invalid JSON body\n", "no", "never"],
  [400, "invalid request\n", "no", "never"],
  [400, "no statements\n", "no", "never"],
  [400, "unsupported type\n", "no", "never"],
  [400, "unsupported type map[string]interface {}\n", "no", "never"],
  [400, "invalid number 1e400\n", "no", "never"],
  [400, "freshness_strict requires freshness\n", "no", "never"],
  [401, "", "no", "never"],
  [401, "remote Execute not authorized\n", "no", "never"],
  [403, HTML, "no", "never"],
  [404, "", "no", "never"],
  [405, "", "no", "never"],
  [413, HTML, "no", "never"],
  [414, "", "no", "never"],
  [415, "", "no", "never"],
  [429, "slow down", "no", "leaderless"],
  [431, "", "no", "never"],
  [301, "", "no", "elsewhere"],
  [200, "disallowed pragma", "no", "never"],
  [200, "string field contains invalid UTF-8", "no", "never"],
  [200, "cannot start a transaction within a transaction", "no", "never"],
  [200, "FOREIGN KEY constraint failed", "no", "never"],
  [500, "SQL rewrite: panic during SQL analysis: invalid op ESCAPE\n", "no", "never"],

  // Reads.
  [200, "stale read", "no", "elsewhere"],
  [200, "index 5: timeout waiting for fsm", "no", "strong"],
  [200, PREFIX.replace("Execute", "Query") + "index 5: timeout waiting for fsm", "no", "strong"],
  [200, "failed to verify leader: leadership lost", "no", "leaderless"],

  // Nobody can tell.
  [200, "leadership lost while committing log", "maybe", "leaderless"],
  [200, PREFIX + "leadership lost while committing log", "maybe", "leaderless"],
  [200, "raft is already shutdown", "maybe", "elsewhere"],
  [200, "snapshot restored while committing log", "maybe", "elsewhere"],
  [200, "cannot commit - no transaction is active", "maybe", "never"],
  [200, RESET, "maybe", "elsewhere"],
  [200, PREFIX + RESET, "maybe", "elsewhere"],
  [200, "read protobuf length: EOF", "maybe", "elsewhere"],
  [200, PREFIX + "read protobuf length: EOF", "maybe", "elsewhere"],
  [200, "read protobuf bytes: unexpected EOF", "maybe", "elsewhere"],
  [
    200,
    "read protobuf length: read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout",
    "maybe",
    "elsewhere",
  ],
  [500, "EOF\n", "maybe", "elsewhere"],
  [200, "write length: write tcp: broken pipe", "maybe", "elsewhere"],
  [200, "write protobuf bytes: short write", "maybe", "elsewhere"],
  [200, "panic reading response from node: runtime error", "maybe", "elsewhere"],
  [200, REFUSED, "maybe", "leaderless"],
  [200, `${PREFIX}pool get: ${REFUSED}`, "no", "leaderless"],
  [200, `pool get: ${REFUSED}`, "no", "leaderless"],
  [408, "queue wait timeout\n", "maybe", "never"],
  [408, "timeout\n", "maybe", "never"],
  [408, HTML, "maybe", "elsewhere"],
  [200, "a text of a later version", "maybe", "elsewhere"],
  [500, "a text of a later version\n", "maybe", "elsewhere"],
  [500, "", "maybe", "elsewhere"],
  [502, HTML, "maybe", "elsewhere"],
  [503, HTML, "maybe", "elsewhere"],
  [503, "", "maybe", "elsewhere"],
  [504, "upstream request timeout", "maybe", "elsewhere"],
  [202, "", "maybe", "elsewhere"],
  [418, "", "maybe", "elsewhere"],

  // Only the results are lost.
  [
    500,
    "json: error calling MarshalJSON for type *http.DBResults: json: unsupported value: +Inf\n",
    "yes",
    "never",
  ],
  [500, "types and columns are different lengths\n", "yes", "never"],
  [500, "no ExecuteResult, QueryRows, or Error\n", "yes", "never"],
];

describe("fate()", () => {
  for (const [status, text, applied, next] of CASES) {
    it(`of ${status} ${JSON.stringify(text)} is ${applied}, ${next}`, () => {
      assert.deepEqual(fate(status, text), { applied, next });
    });
  }

  it("is tested for every row of the table", () => {
    for (const row of FATES) {
      const tested = CASES.some(([status, text]) => {
        const said = text.trim().replace(PREFIX, "").replace(/^node failed .*4002: /, "");
        return row.status.includes(status) &&
          (typeof row.text === "string" ? row.text === said : row.text.test(said));
      });
      assert.ok(tested, String(row.text));
    }
  });

  it("does not find a known text inside another", () => {
    const texts = [
      "the leader not found",
      "not leader of men",
      "x stale read",
      "<p>store not open</p>",
    ];
    for (const text of texts) assert.equal(fate(200, text).applied, "maybe", text);
  });

  it("does not believe a refusal under another status", () => {
    assert.equal(fate(502, "leader not found").applied, "maybe");
    assert.equal(fate(504, "not leader").applied, "maybe");
  });
});
