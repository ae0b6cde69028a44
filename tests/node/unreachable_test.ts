// What cannot be reached says why, at once where that will not change, and nothing was applied: on each engine's `fetch`
// and on nodeFetch().
import assert from "node:assert/strict";
import { createServer as createPlain, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import {
  type AddressInfo,
  createConnection as connectTcp,
  createServer as createTcp,
  type Socket,
} from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import {
  type Client,
  connect,
  ConnectionError,
  type ConnectOptions,
  OutcomeUnknownError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { failureOf } from "../integration/helpers.ts";
import { type Rqlited, skipWithoutRqlited, spawnRqlited } from "../support/rqlited.ts";
import { until } from "../support/http.ts";
import {
  type Certificates,
  type Holder,
  makeCertificates,
  skipWithoutOpenssl,
} from "./certificates.ts";
import { ownFetch } from "./own_fetch.ts";

const CALLS: Readonly<Record<string, (db: Client) => Promise<unknown>>> = {
  "a read": (db) => db.query("SELECT 1"),
  "a write": (db) => db.execute("DELETE FROM t"),
  "a batch": (db) => db.batch(["DELETE FROM t", "SELECT 1"]),
  "a transaction": (db) => db.transaction((tx) => tx.execute("DELETE FROM t")),
  "a write without an id": (db) => db.execute("DELETE FROM t", [], { exactlyOnce: false }),
};

interface Case {
  readonly reason: RegExp;
  /** The engine's own `fetch` cannot prove that nothing was sent. */
  readonly doubtful?: RegExp;
  /** It may be over a moment later: it is tried again. */
  readonly passing?: true;
}

const CERTIFICATE = /certificate|ALTNAME/i;
const NO_TLS = /TLS/;

const CASES: Readonly<Record<string, Case>> = {
  "a certificate of another host": { reason: /not match|not valid for name|ALTNAME|verify/i },
  "a certificate that is over": { reason: /expired|verify/i },
  "a certificate that nobody issued": { reason: CERTIFICATE },
  "https to a port without TLS": { reason: NO_TLS, doubtful: /^(bun|node)$/ },
  "a port that nobody listens on": { reason: /refused|Unable to connect/i, passing: true },
  "a host that does not exist": {
    reason: /ENOTFOUND|not known|lookup address/,
    passing: true,
  },
};

const ENGINE = "deno" in process.versions ? "deno" : "bun" in process.versions ? "bun" : "node";

const WAYS: Readonly<Record<string, (ca: string) => ConnectOptions>> = {
  "fetch": (ca) => {
    const own = ownFetch({ ca });
    return own === undefined ? {} : { fetch: own, ...(own.close && { close: own.close }) };
  },
  "nodeFetch()": (ca) => {
    const transport = nodeFetch({ ca });
    return { fetch: transport, close: transport.close };
  },
};

describe("what cannot be reached", { skip: skipWithoutOpenssl() }, () => {
  const servers: Server[] = [];
  const urls: Record<string, string> = {};
  let files: Certificates;
  let arrived = 0;

  const serve = async (server: Server, scheme: string): Promise<string> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  before(async () => {
    files = makeCertificates();
    const tls = (holder: Holder, ca?: string) => {
      const server = createTls({ ...files.of(holder), ...(ca && { ca }) }, (_, response) => {
        arrived++;
        response.end();
      });
      server.on("tlsClientError", () => {});
      return serve(server, "https");
    };
    urls["a certificate of another host"] = await tls("stranger");
    urls["a certificate that is over"] = await tls("expired");
    urls["a certificate that nobody issued"] = await tls("server");
    const plain = createPlain(() => arrived++);
    urls["https to a port without TLS"] = await serve(plain, "https");
    const gone = createTcp();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    urls["a port that nobody listens on"] = `http://127.0.0.1:${port}`;
    urls["a host that does not exist"] = "http://no-such-host.invalid:4001";
  });

  after(async () => {
    files?.remove();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });

  for (const [via, options] of Object.entries(WAYS)) {
    for (const [what, { reason, doubtful, passing }] of Object.entries(CASES)) {
      for (const [name, call] of Object.entries(CALLS)) {
        const doubt = via === "fetch" && doubtful?.test(ENGINE) === true;
        it(`${what}: ${name} over ${via} is a ConnectionError that says so`, async () => {
          arrived = 0;
          const ca = what === "a certificate that nobody issued" ? files.cert : files.ca;
          let attempts = 0;
          const db = connect(urls[what]!, {
            ...options(ca),
            retries: passing ? 0 : 3,
            onRequest: () => void attempts++,
          });
          const error = await failureOf(call(db));
          await db.close();
          assert.equal(arrived, 0);
          if (doubt && name === "a write without an id") {
            assert.ok(error instanceof OutcomeUnknownError, String(error));
            assert.match(error.message, reason);
            return;
          }
          assert.ok(error instanceof ConnectionError, String(error));
          assert.ok(error.message.startsWith(`Cannot reach ${urls[what]}: `), error.message);
          assert.match(error.message, reason);
          assert.doesNotMatch(error.message, /fetch failed|verbose: true|\n/);
          if (doubt) return;
          assert.equal(error.retryable, passing === true);
          assert.equal(attempts, 1);
        });
      }
    }
  }

  for (const [via, options] of Object.entries(WAYS)) {
    // Node's fetch takes no authority of its own.
    if (via === "fetch" && ENGINE === "node") continue;
    it(`a connection that breaks behind the request is no proof over ${via}`, async () => {
      const behind = createTls(files.of("server"), (request) => {
        arrived++;
        // What is not TLS, after all of the request has come.
        request.resume().on("end", () => client!.end("HTTP/1.0 400 Bad Request\r\n\r\n"));
      });
      const target = new URL(await serve(behind, "https")).port;
      let client: Socket | undefined;
      const proxy = createTcp((socket) => {
        client = socket;
        const onward = connectTcp(Number(target), "127.0.0.1");
        for (const end of [socket, onward]) end.on("error", () => {});
        socket.on("close", () => onward.destroy());
        socket.pipe(onward);
        onward.on("data", (bytes) => socket.write(bytes));
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      arrived = 0;
      const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const db = connect(url, { ...options(files.ca), exactlyOnce: false });
      const error = await failureOf(db.execute("DELETE FROM t"));
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(arrived, 1);
      await db.close();
      await new Promise((resolve) => proxy.close(resolve));
    });
  }

  it("a certificate that is refused sends the call to the next node at once", async () => {
    const transport = nodeFetch({ ca: files.ca });
    const engine = embedded();
    const bad = urls["a certificate that is over"]!;
    const asked: string[] = [];
    const fetch = ((input: string, init?: RequestInit) => {
      asked.push(new URL(input).origin);
      return input.startsWith(bad) ? transport(input, init) : engine.fetch(input, init);
    }) as typeof globalThis.fetch;
    const db = connect([bad, "https://good"], { fetch, level: "weak" });
    assert.equal((await db.query("SELECT 1 AS one")).rows[0]?.["one"], 1);
    assert.deepEqual(asked, [bad, "https://good"]);
    const both = connect([bad, `${bad}/prefix`], { fetch });
    await assert.rejects(both.query("SELECT 1"), ConnectionError);
    assert.deepEqual(asked.slice(2), [bad, bad]);
    transport.close();
    engine.close();
  });
});

describe("an http:// URL of a port with TLS", {
  skip: skipWithoutRqlited() || skipWithoutOpenssl(),
}, () => {
  let files: Certificates;
  let server: Rqlited;

  before(async () => {
    files = makeCertificates();
    const [cert, key] = [files.path("server.pem"), files.path("server-key.pem")];
    server = await spawnRqlited({ args: ["-http-cert", cert, "-http-key", key] });
    await until("answer", async () => {
      const answer = await fetch(server.url).catch(() => undefined);
      await answer?.text();
      return answer?.status === 400 || undefined;
    }, { details: () => server.log() });
  });

  after(async () => {
    await server?.stop();
    files?.remove();
  });

  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name} is a ConnectionError that says so`, async () => {
      let attempts = 0;
      const db = connect(server.url, { onRequest: () => void attempts++ });
      const error = await failureOf(call(db));
      await db.close();
      assert.ok(error instanceof ConnectionError, String(error));
      assert.equal(
        error.message,
        `Cannot reach ${server.url}: it seems to speak TLS on this port, write https://`,
      );
      assert.deepEqual([error.retryable, attempts], [false, 1]);
    });
  }
});

/** Requests that `fetch` does not send, as some function around it makes them. */
const REFUSED: Readonly<Record<string, (url: string, init: RequestInit) => Promise<Response>>> = {
  "another scheme": (url, init) => fetch(url.replace("http:", "ftp:"), init),
  "a GET with a body": (url, init) => fetch(url, { ...init, method: "GET", body: "x" }),
  // Deno says of these what `new URL()` says, and asks the second.
  ...(ENGINE !== "deno" && { "a malformed URL": (_, init) => fetch("http://[", init) }),
  ...(ENGINE === "node" && {
    "a user in the URL": (url: string, init: RequestInit) =>
      fetch(url.replace("//", "//app:marked-secret@"), init),
  }),
};

describe("what is refused before it is sent", () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`an embedded engine that is closed: ${name} is a ConnectionError that says so`, async () => {
      const engine = embedded();
      let attempts = 0;
      const db = connect({ fetch: engine.fetch, onRequest: () => void attempts++ });
      engine.close();
      const error = await failureOf(call(db));
      assert.ok(error instanceof ConnectionError, String(error));
      assert.match(error.message, /^Cannot reach http:\S+: The embedded engine is closed/);
      assert.deepEqual([error.retryable, attempts], [false, 1]);
    });

    for (const [what, send] of Object.entries(REFUSED)) {
      it(`${what} that a fetch around it asks for: ${name} is a ConnectionError`, async () => {
        const db = connect("http://127.0.0.1:4001", { fetch: send as typeof fetch });
        const error = await failureOf(call(db));
        assert.ok(error instanceof ConnectionError, String(error));
        assert.match(error.message, /^Cannot reach http:\/\/127\.0\.0\.1:4001: /);
        assert.doesNotMatch(error.message, /marked-secret/);
        assert.equal(error.retryable, false);
        await db.close();
      });
    }

    it(`a port that fetch blocks: ${name} is a ConnectionError`, async () => {
      const db = connect("http://127.0.0.1:6000", { retries: 0 });
      const error = await failureOf(call(db));
      assert.ok(error instanceof ConnectionError, String(error));
      assert.match(error.message, /^Cannot reach http:\/\/127\.0\.0\.1:6000: /);
    });
  }
});
