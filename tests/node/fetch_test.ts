import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type NodeFetch, nodeFetch } from "../../src/node/mod.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server does with the next requests. */
let handle: Handler;
let server: Server;
let url: string;
let connections = 0;
const sockets = new Set<Socket>();

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

before(async () => {
  server = createServer((request, response) => handle(request, response));
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

describe("nodeFetch()", () => {
  let send: NodeFetch;

  beforeEach(() => {
    send = nodeFetch();
    connections = 0;
    handle = async (request, response) => {
      const body = await bodyOf(request);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ method: request.method, headers: request.headers, body }));
    };
  });

  afterEach(() => send.close());

  interface Echo {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body: string;
  }

  const echo = async (init: RequestInit): Promise<Echo> => {
    const response = await send(url, init);
    assert.equal(response.status, 200);
    return await response.json() as Echo;
  };

  it("sends method, headers and text", async () => {
    const headers = { "content-type": "application/json", "x-own": "é" };
    const { method, headers: seen, body } = await echo({ method: "POST", headers, body: '["ü"]' });
    assert.deepEqual([method, body], ["POST", '["ü"]']);
    assert.equal(seen["content-type"], "application/json");
    assert.equal(seen["content-length"], "6");
  });

  it("sends headers in any form that fetch takes, as fetch would", async () => {
    const forms: readonly HeadersInit[] = [
      { "X-Own": " a ", "x-own": "b" },
      [["x-own", "a"], ["X-Own", "b"]],
      new Headers({ "x-own": "a, b" }),
    ];
    for (const headers of forms) {
      assert.equal((await echo({ headers })).headers["x-own"], "a, b");
    }
    for (const headers of [{ "x own": "a" }, { "x-own": "a\nb" }, { "x-own": "\u20ac" }]) {
      await assert.rejects(echo({ headers }), TypeError);
    }
    const { headers } = await echo({ method: "POST", body: "a", headers: { "Content-Type": "b" } });
    assert.equal(headers["content-type"], "b");
  });

  it("sends bytes, a Blob and a stream as they are", async () => {
    const text = "x".repeat(200_000);
    const bytes = new TextEncoder().encode(text);
    const pieces = [bytes.subarray(0, 70_000), bytes.subarray(70_000)];
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    for (const body of [bytes, bytes.buffer, new Blob([text]), stream]) {
      const init = { method: "POST", body, duplex: "half" };
      assert.equal((await echo(init)).body, text);
    }
  });

  it("takes a Request, and what `init` changes of it", async () => {
    const request = new Request(url, { method: "POST", body: "a", headers: { "x-own": "1" } });
    const response = await send(request, { headers: { "x-own": "2" } });
    const { body, headers } = await response.json() as Echo;
    assert.deepEqual([body, headers["x-own"]], ["a", "2"]);
  });

  it("uses one connection for requests one after the other, also when a body is given up", async () => {
    for (let i = 0; i < 5; i++) {
      await echo({ method: "POST", body: "a" });
      await (await send(url)).body?.cancel();
      // The rest of the body has to arrive before the connection is free.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(connections, 1);
  });

  it("opens no more connections than `maxSockets`", async () => {
    const one = nodeFetch({ maxSockets: 2 });
    const answers = await Promise.all(Array.from({ length: 8 }, async () => {
      return (await one(url)).json();
    }));
    one.close();
    assert.equal(answers.length, 8);
    assert.equal(connections, 2);
  });

  it("answers a redirect as it is", async () => {
    handle = (_, response) => response.writeHead(301, { location: "http://elsewhere/" }).end();
    const response = await send(url, { redirect: "manual" });
    assert.deepEqual([response.status, response.headers.get("location")], [
      301,
      "http://elsewhere/",
    ]);
    assert.equal(await response.text(), "");
  });

  it("has no body where there is none", async () => {
    handle = (_, response) => response.writeHead(204).end();
    assert.equal((await send(url)).body, null);
    handle = (_, response) => response.writeHead(200, { "content-length": "5" }).end();
    const head = await send(url, { method: "HEAD" });
    assert.deepEqual([head.body, head.headers.get("content-length")], [null, "5"]);
  });

  it("decodes what was compressed", async () => {
    handle = (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync("rows"));
    };
    assert.equal(await (await send(url)).text(), "rows");
  });

  it("streams the answer as it comes", async () => {
    let more: () => void = () => {};
    handle = (_, response) => {
      response.write("a");
      more = () => response.end("b");
    };
    const reader = (await send(url)).body!.getReader();
    const text = async () => new TextDecoder().decode((await reader.read()).value);
    assert.equal(await text(), "a");
    more();
    assert.equal(await text(), "b");
    assert.equal((await reader.read()).done, true);
  });

  it("rejects with the signal's reason: before, while waiting, and within the body", async () => {
    const reason = new Error("Enough");
    await assert.rejects(send(url, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(connections, 0);

    const controller = new AbortController();
    handle = () => controller.abort(reason);
    await assert.rejects(send(url, { signal: controller.signal }), reason);

    const later = new AbortController();
    handle = (_, response) => response.write("half");
    const response = await send(url, { signal: later.signal });
    const rest = response.text();
    later.abort(reason);
    await assert.rejects(rest, reason);
  });

  it("closes the connection of what was aborted, and serves the next request", async () => {
    const gone = new Promise<void>((resolve) => {
      handle = (request) => request.socket.once("close", () => resolve());
    });
    const controller = new AbortController();
    const waiting = send(url, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(waiting, { name: "AbortError" });
    await gone;
    handle = (_, response) => response.end("next");
    assert.equal(await (await send(url)).text(), "next");
  });

  it("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await (await send(url, { signal })).text();
    assert.equal(listeners, 0);
  });

  it("rejects when the connection is refused, cut, or cut within the body", async () => {
    await assert.rejects(send("http://127.0.0.1:1/"), TypeError);
    handle = (request) => request.socket.destroy();
    await assert.rejects(send(url), TypeError);
    handle = (request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => setTimeout(() => request.socket.destroy(), 5));
    };
    const response = await send(url);
    await assert.rejects(response.text(), TypeError);
  });

  it("rejects when the body that is to be sent cannot be read", async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new Error("no more"));
      },
    });
    const init = { method: "POST", body, duplex: "half" };
    await assert.rejects(send(url, init), TypeError);
  });

  it("sends a request once where a connection that was kept dies", async () => {
    await (await send(url)).text();
    let seen = 0;
    handle = (request) => {
      seen++;
      request.socket.destroy();
    };
    await assert.rejects(send(url, { method: "POST", body: "a" }), TypeError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(seen, 1);
  });

  it("close() ends idle connections, and a later request opens one", async () => {
    await (await send(url)).text();
    send.close();
    assert.equal(await (await send(url)).text().then(() => "answered"), "answered");
    assert.equal(connections, 2);
  });
});

describe("the arguments of nodeFetch()", () => {
  const wrong: readonly [options: unknown, message: RegExp][] = [
    [null, /an object is needed.*null/],
    [{ pfx: "x" }, /no such option/],
    [{ ca: 1 }, /`ca`.*must be a text in PEM: current value is 1/],
    [{ ca: "/etc/ca.pem" }, /`ca`.*CERTIFICATE block/],
    [
      { cert: "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----" },
      /`cert` without `key`/,
    ],
    [{ rejectUnauthorized: "no" }, /`rejectUnauthorized`.*boolean/],
  ];
  for (const [options, message] of wrong) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => nodeFetch(options as never), { name: "TypeError", message });
    });
  }

  it("refuses PEM that holds no certificate, at the latest before anything is sent", async () => {
    const ca = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----";
    const connect = async (): Promise<void> => {
      await nodeFetch({ ca })(url.replace("http:", "https:"));
    };
    connections = 0;
    await assert.rejects(connect(), TypeError);
    assert.ok(connections <= 1); // Deno reads it when it connects
  });

  it("refuses a number of sockets that is none", () => {
    for (const maxSockets of [0, 1.5, NaN]) {
      assert.throws(() => nodeFetch({ maxSockets }), RangeError);
    }
    assert.throws(() => nodeFetch({ maxSockets: "3" as never }), TypeError);
  });

  it("refuses what fetch refuses", async () => {
    const send = nodeFetch();
    await assert.rejects(send("ftp://x/"), TypeError);
    await assert.rejects(send("http://user:pw@127.0.0.1:1/"), TypeError);
    await assert.rejects(send("http://127.0.0.1:1/", { body: "a" }), TypeError);
    await assert.rejects(send("nonsense"), TypeError);
  });
});
