import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ask } from "./http.ts";
import { type Fault, type Proxy, startProxy } from "./proxy.ts";

/** Longer than one packet, and without a length: the server sends it in chunks. */
const LONG = "x".repeat(100_000);

function startEcho(seen: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => body += part);
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      response.end(request.url === "/long" ? LONG : `echo ${body}`);
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

describe("Proxy", () => {
  const seen: string[] = [];
  let server: Server;
  let proxy: Proxy;

  before(async () => {
    server = await startEcho(seen);
  });

  after(() => new Promise<void>((resolve) => server.close(() => resolve())));

  // A proxy, and so an address, per test: the runtimes' fetch keeps connections by address.
  beforeEach(async () => {
    seen.length = 0;
    proxy = await startProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterEach(() => proxy.close());

  /** Asks once for `path` under `fault`; what the server saw of it is in `seen`. */
  async function under(fault: Fault, path = "/"): Promise<string> {
    proxy.script(fault);
    // Only where no answer comes the test waits for the limit.
    const limit = String(fault).startsWith("swallow") ? 2_000 : 30_000;
    const init = { method: "POST", body: "hello", limit };
    return (await ask(proxy.url + path, init)).text;
  }

  it("passes requests on and counts them", async () => {
    assert.equal(await under("pass"), "echo hello");
    assert.deepEqual(seen, ["POST / hello"]);
    assert.equal(proxy.connections, 1);
    assert.equal(proxy.forwarded[0]?.body, "hello");
    assert.equal(proxy.forwarded[0]?.headers.host, new URL(proxy.url).host);
  });

  it("passes long answers on", async () => {
    assert.equal(await under("pass", "/long"), LONG);
    assert.equal(await under("pass and close", "/long"), LONG);
    assert.equal(await under({ delay: 20 }), "echo hello");
  });

  it('"cut before" keeps the request from the server', async () => {
    await assert.rejects(under("cut before"));
    assert.deepEqual(seen, []);
    assert.equal(proxy.requests[0]?.fault, "cut before");
  });

  it('"swallow" keeps the request from the server and never answers', async () => {
    await assert.rejects(under("swallow"), /No answer/);
    assert.deepEqual(seen, []);
  });

  for (
    const fault of [
      "cut after request",
      "cut after headers",
      "cut in body",
      "swallow answer",
    ] as const
  ) {
    it(`"${fault}" lets the server do it and loses the answer`, async () => {
      await assert.rejects(under(fault, "/long"));
      assert.deepEqual(seen, ["POST /long hello"]);
    });
  }

  it("{ answer } speaks for the server", async () => {
    const answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";
    assert.equal(await under({ answer }), "busy");
    assert.deepEqual(seen, []);
  });

  it("{ instead } speaks for the server, which does it", async () => {
    const instead = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\nlost";
    assert.equal(await under({ instead }), "lost");
    assert.deepEqual(seen, ["POST / hello"]);
  });

  it("{ hold } lets the server do it although the client has gone, and settled() waits", async () => {
    const gone = new AbortController();
    proxy.plan = () => {
      setTimeout(() => gone.abort(), 1);
      return { hold: 100 };
    };
    const init = { method: "POST", body: "late", signal: gone.signal };
    await assert.rejects(fetch(proxy.url, init));
    await proxy.settled();
    assert.deepEqual(seen, ["POST / late"]);
  });

  it('"twice" and { copy } let the server do it twice', async () => {
    assert.equal(await under("twice"), "echo hello");
    assert.deepEqual(seen, ["POST / hello", "POST / hello"]);
    assert.equal(await under({ copy: 1 }), "echo hello");
    await proxy.settled();
    assert.equal(seen.length, 4);
  });

  it("refuse cuts connections as they are opened", async () => {
    proxy.refuse = 1;
    await assert.rejects(under("pass").finally(() => proxy.refuse = 0));
  });

  it("listen() opens the same address again after close()", async () => {
    const { url } = proxy;
    await proxy.close();
    await assert.rejects(ask(url));
    await proxy.listen();
    assert.equal(proxy.url, url);
    assert.equal(await under("pass"), "echo hello");
  });
});
