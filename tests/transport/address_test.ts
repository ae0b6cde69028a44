// Which of the addresses that others name a client asks, and what `mapNode` may answer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import {
  connect,
  type ConnectOptions,
  InterfaceError,
  OutcomeUnknownError,
  type RequestEvent,
} from "../../mod.ts";
import { nodeOf } from "../../src/transport/address.ts";
import { AddressFilter } from "../../src/transport/address_filter.ts";
import { Authorization } from "../../src/transport/credentials.ts";
import { Deadline } from "../../src/time/deadline.ts";
import { HttpTransport } from "../../src/transport/http.ts";
import { Nodes } from "../../src/transport/nodes.ts";
import { sleep } from "../support/http.ts";
import { type ScriptedFetch, scriptedFetch } from "../support/scripted_fetch.ts";

const HTTP = "http://a:4001";
const HTTPS = "https://a:4001";
const SECRET = "marked-secret";
const OK = { body: { results: [{ rows_affected: 1 }] } };
const ROW = { body: { results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] } };

describe("nodeOf()", () => {
  it("keeps a path prefix and drops credentials, query and slashes at the end", () => {
    assert.equal(
      nodeOf(new URL("https://u:p@host:4001/rqlite//?level=weak")),
      "https://host:4001/rqlite",
    );
    assert.equal(nodeOf(new URL("http://host:4001")), "http://host:4001");
  });
});

describe("AddressFilter", () => {
  const admitted: [string, string, string | undefined][] = [
    [HTTP, "http://b:4001", "http://b:4001"],
    [HTTP, "http://B.example:80//", "http://b.example"],
    [HTTP, "http://[0:0::1]:4001/", "http://[::1]:4001"],
    [HTTP, "http://b:4001/behind/a/proxy/", "http://b:4001/behind/a/proxy"],
    [HTTPS, "https://b:443", "https://b"],
    [HTTPS, "http://b:4001", undefined],
    [HTTP, "https://b:4001", undefined],
    [HTTP, "ftp://b:4001", undefined],
    [HTTP, "b:4001", undefined],
    [HTTP, "javascript:alert(1)", undefined],
    [HTTP, "http://app:secret@b:4001", undefined],
    [HTTP, "http://b:4001?level=none", undefined],
    [HTTP, "http://b:4001#db", undefined],
    [HTTP, "http://b:99999", undefined],
    [HTTP, "", undefined],
  ];
  for (const [configured, address, node] of admitted) {
    it(`admits ${JSON.stringify(address)} beside ${configured} as ${node}`, () => {
      assert.equal(new AddressFilter([configured]).admit(address), node);
    });
  }

  it("lets nobody name an http node where https was configured, too, but the configured one", () => {
    const filter = new AddressFilter([HTTPS, "http://localhost:4001"]);
    assert.equal(filter.admit("http://b:4001"), undefined);
    assert.equal(filter.admit("http://localhost:4001"), "http://localhost:4001");
    assert.equal(filter.admit("https://b:4001"), "https://b:4001");
  });

  it("judges the scheme behind mapNode", () => {
    const up = new AddressFilter([HTTPS], (url) => url.replace("http:", "https:"));
    assert.equal(up.admit("http://b:4001"), "https://b:4001");
    const down = new AddressFilter([HTTPS], (url) => url.replace("https:", "http:"));
    assert.equal(down.admit("https://b:4001"), undefined);
  });

  it("gives mapNode one text for one node, and takes a URL object", () => {
    const heard: string[] = [];
    const filter = new AddressFilter([HTTP], (url) => {
      heard.push(url);
      return new URL("http://mapped:4001/");
    });
    for (const url of ["http://B:80/", "http://b", "b:4001"]) {
      assert.equal(filter.admit(url), "http://mapped:4001");
    }
    assert.deepEqual(heard, ["http://b", "http://b", "b:4001"]);
  });
});

describe("connect()", () => {
  it("takes one node that is written in several ways for one", async () => {
    const urls = ["http://Node.example:80", "http://node.example/", new URL("http://node.example")];
    const fetch = scriptedFetch(() => ({ reject: new Error("lost") }));
    const db = connect(urls, { fetch: fetch as typeof globalThis.fetch });
    assert.match(inspect(db), /nodes: \["http:\/\/node\.example"\]/);
    await db.close();
  });
});

/** What `mapNode` does, and how the error calls it. */
const MISTAKES: [string, (url: string) => unknown, RegExp][] = [
  ["a host without a scheme", () => "db2:4001", /Cannot use "db2:4001", which `mapNode` answered/],
  ["no text", () => "", /Cannot use "", which/],
  ["null", () => null, /Cannot use null, which/],
  ["a number", () => 4001, /Cannot use 4001, which/],
  ["a promise", () => Promise.resolve(HTTP), /Cannot use a Promise, which/],
  ["a promise that rejects", () => Promise.reject(new Error("dns")), /Cannot use a Promise/],
  ["another scheme", () => "ftp://db2", /Cannot use "ftp:\/\/db2", which/],
  ["a query", () => "http://db2?level=none", /Cannot use "http:\/\/db2\?level=…", which/],
  ["a password", () => `http://app:${SECRET}@db2`, /Cannot use "http:\/\/\*\*\*@db2", which/],
  [
    "nothing, as it throws",
    () => {
      throw new Error("no such node");
    },
    /Cannot use the address "http:\/\/b:4001" as `mapNode` threw: no such node/,
  ],
];

describe("a mapNode that answers", () => {
  for (const [what, mapNode, message] of MISTAKES) {
    const options = (fetch: ScriptedFetch): ConnectOptions => ({
      fetch: fetch as typeof globalThis.fetch,
      mapNode: mapNode as NonNullable<ConnectOptions["mapNode"]>,
      exactlyOnce: false,
    });
    const isTold = (error: unknown): boolean => {
      assert.ok(error instanceof InterfaceError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /http:\/\/b:4001/);
      assert.doesNotMatch(inspect(error), new RegExp(SECRET));
      return true;
    };

    it(`${what} for a leader is told the caller of the write, which was not applied`, async () => {
      const fetch = scriptedFetch(() => ({
        status: 301,
        headers: { location: "http://b:4001/db/execute?redirect" },
      }));
      const events: RequestEvent[] = [];
      const onRequest = (event: RequestEvent) => void events.push(event);
      const db = connect(HTTP, { ...options(fetch), onRequest });
      await assert.rejects(db.execute("DELETE FROM t"), isTold);
      assert.deepEqual(fetch.calls.map(({ url }) => new URL(url).origin), [HTTP]);
      assert.ok(events.every(({ error }) => isTold(error)));
      await db.close();
    });

    it(`${what} for a member is told the caller of a read`, async () => {
      const nodes = [{ id: "2", api_addr: "http://b:4001", reachable: true, voter: true }];
      const fetch = scriptedFetch(({ url }) => url.includes("/nodes") ? { body: { nodes } } : ROW);
      const db = connect(HTTP, { ...options(fetch), discover: true });
      const reads = async () => {
        // The first ones may be answered before anybody knows.
        for (let i = 0; i < 100; i++) {
          await db.query("SELECT 1", [], { level: "none" });
          await sleep(10);
        }
      };
      await assert.rejects(reads(), isTold);
      assert.ok(fetch.calls.every(({ url }) => new URL(url).origin === HTTP));
      await db.close();
    });
  }

  it("no URL does not hide that an earlier copy of the write may have been applied", async () => {
    const fetch = scriptedFetch([
      { reject: new Error("lost") },
      { status: 301, headers: { location: "http://b:4001/db/execute" } },
    ]);
    const transport = new HttpTransport({
      fetch: fetch as typeof globalThis.fetch,
      nodes: new Nodes([HTTP], () => "b:4001"),
      authorization: new Authorization(undefined),
      headers: {},
      maxResponseSize: Infinity,
      retries: 3,
    });
    const sent = transport.send({
      ...{ method: "POST", path: "/db/execute", body: "[]", statements: 1 },
      ...{ leader: true, write: true, repeatable: true, deadline: new Deadline(30_000) },
      judge: () => ({ value: undefined }),
    });
    await assert.rejects(sent, (error) => {
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      return error.cause instanceof InterfaceError;
    });
    assert.equal(fetch.left, 0);
  });
});

describe("a client of https nodes", () => {
  const USER = { username: "app", password: SECRET };

  it("sends nothing to an http node that /nodes or a redirect names", async () => {
    const nodes = [{ id: "2", api_addr: "http://b:4001", reachable: true, voter: true }];
    const fetch = scriptedFetch(({ url }) => {
      if (url.includes("/nodes")) return { body: { nodes } };
      if (!/[?&]redirect\b/.test(url)) return OK;
      return { status: 301, headers: { location: url.replace(HTTPS, "http://b:4001") } };
    });
    const db = connect(HTTPS, {
      ...USER,
      fetch: fetch as typeof globalThis.fetch,
      discover: true,
      exactlyOnce: false,
    });
    for (let i = 0; i < 3; i++) await db.execute("DELETE FROM t");
    assert.ok(fetch.calls.some(({ url }) => url.includes("/nodes")));
    assert.deepEqual([...new Set(fetch.calls.map(({ url }) => new URL(url).origin))], [HTTPS]);
    await db.close();
  });

  it("follows to the leader that mapNode names by https, and stays with it", async () => {
    const fetch = scriptedFetch(({ url }) =>
      url.startsWith(HTTPS)
        ? { status: 301, headers: { location: url.replace(HTTPS, "http://10.0.0.2:4001") } }
        : OK
    );
    const db = connect(HTTPS, {
      ...USER,
      fetch: fetch as typeof globalThis.fetch,
      mapNode: (url) => url.replace("http://10.0.0.", "https://db"),
      exactlyOnce: false,
    });
    for (let i = 0; i < 3; i++) await db.execute("DELETE FROM t");
    const origins = fetch.calls.map(({ url }) => new URL(url).origin);
    assert.deepEqual(origins, [HTTPS, "https://db2:4001", "https://db2:4001", "https://db2:4001"]);
    await db.close();
  });
});
