// What the words of runtimes prove that no test of theirs can bring about here, and headers that no runtime may send.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, ConnectionError, OutcomeUnknownError } from "../../mod.ts";
import { failureOf } from "../integration/helpers.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";

const NODE = "http://a:4001";
const BLOCKED = "http://a:6000";

/** What `fetch` says, of which node, and whether that proves that nothing was sent. */
const WORDS: readonly (readonly [string, string, boolean])[] = [
  ["Failed to execute 'fetch' on 'Window': Failed to parse URL from http://[", NODE, true],
  ["Failed to execute 'fetch' on 'WorkerGlobalScope': Invalid value", NODE, true],
  ["Fetch API cannot load: ftp://a/", NODE, true],
  ["Request with a GET or HEAD method cannot have a body.", NODE, true],
  ["Failed to fetch", BLOCKED, true],
  ["NetworkError when attempting to fetch resource.", BLOCKED, true],
  ["Load failed", BLOCKED, true],
  ["Failed to fetch", NODE, false],
  ["Failed to fetch", "http://a", false],
  ["NetworkError when attempting to fetch resource.", NODE, false],
  ["Load failed", NODE, false],
  ["Network connection lost.", BLOCKED, false],
  ["fetch failed", BLOCKED, false],
  ["Invalid URL: 'http://['", NODE, false],
];

describe("a write without an id", () => {
  for (const [words, url, proof] of WORDS) {
    it(`${proof ? "was not sent" : "may be sent"} where ${url} is "${words}"`, async () => {
      const fetch = scriptedFetch([{ reject: new TypeError(words) }]);
      const db = connect(url, { fetch: fetch as typeof globalThis.fetch, exactlyOnce: false });
      const error = await failureOf(db.execute("DELETE FROM t"));
      assert.ok(error instanceof (proof ? ConnectionError : OutcomeUnknownError), String(error));
      assert.equal(fetch.calls.length, 1);
      await db.close();
    });
  }
});

describe("connect() and the headers of a connection", () => {
  const refused = [
    ...[["Content-Length", "3"], ["transfer-encoding", "chunked"], ["Expect", "100-continue"]],
    ...[["keep-alive", "5"], ["TE", "trailers"], ["trailer", "x"], ["upgrade", "h2c"]],
    ...[["proxy-connection", "close"], ["Connection", "upgrade"], ["connection", "content-length"]],
  ] as const;
  for (const [name, value] of refused) {
    it(`refuses ${name}: ${value}`, () => {
      assert.throws(() => connect(NODE, { headers: { [name!]: value! } }), {
        name: "TypeError",
        message: `Cannot send the header "${name}" as it belongs to the connection: leave it out`,
      });
    });
  }

  it("sends those that only say whether it is kept", async () => {
    for (const connection of ["close", "Keep-Alive"]) {
      await connect(NODE, { headers: { connection } }).close();
    }
  });
});
