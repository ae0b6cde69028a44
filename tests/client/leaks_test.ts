// Whatever becomes of a call, it leaves nothing behind: on Deno, an open body, timer or socket fails these tests.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, type ConnectOptions } from "../../mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { countingSignal } from "../support/counting_signal.ts";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { test } from "../support/test.ts";

/** The embedded engine behind a real socket. */
async function serve(engine: EmbeddedEngine): Promise<Server> {
  const server = createServer((request, response) => void forward(engine, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function forward(
  engine: EmbeddedEngine,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  const body = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const answer = await engine.fetch(`http://${request.headers.host}${request.url}`, {
    method: request.method ?? "GET",
    headers: { "content-type": "application/json" },
    ...(body.length > 0 && { body }),
  });
  response.writeHead(answer.status, { "content-type": "application/json" });
  response.end(new Uint8Array(await answer.arrayBuffer()));
}

/** Runs a test between a server, a proxy in front of it, and a client of the proxy. */
function leakTest(name: string, fn: (proxy: Proxy, url: string) => Promise<void>): void {
  test(`leaves nothing behind: ${name}`, async () => {
    const engine = embedded();
    const server = await serve(engine);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = await startProxy(url);
    try {
      const setUp = connect(url, { fetch: engine.fetch });
      await setUp.batch(["CREATE TABLE t(a)", "INSERT INTO t VALUES(1), (2), (3), (4)"]);
      await fn(proxy, proxy.url);
    } finally {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      engine.close();
    }
  });
}

const READ = "SELECT a FROM t";
const WRITE = "INSERT INTO t VALUES(9)";

const weak = (url: string, options: ConnectOptions = {}) =>
  connect(url, { level: "weak", retries: 1, ...options });

leakTest("a call that succeeds", async (_, url) => {
  const db = weak(url);
  assert.equal((await db.query(READ)).rows.length, 4);
  assert.equal((await db.execute(WRITE)).rowsAffected, 1);
  assert.equal((await db.batch([WRITE, READ])).length, 2);
  await db.close();
});

leakTest("calls that wait for one under way, where one signal ends all", async () => {
  const asked = Promise.withResolvers<void>();
  const fetch = (_: unknown, { signal }: RequestInit = {}): Promise<never> => {
    asked.resolve();
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  };
  const db = connect("http://node:4001", { fetch });
  const stop = new AbortController();
  const { signal } = stop;
  const first = db.execute(WRITE, [], { signal });
  await asked.promise;
  const others = [db.execute(WRITE, [], { signal }), db.execute(WRITE, [], { signal })];
  await new Promise((resolve) => setTimeout(resolve));
  const reason = new Error("enough");
  stop.abort(reason);
  for (const call of [first, ...others]) await assert.rejects(call, reason);
  await db.close();
});

leakTest("a statement that fails", async (_, url) => {
  const db = weak(url);
  await assert.rejects(db.query("SELECT nope"), { name: "ProgrammingError" });
  await assert.rejects(db.execute("INSERT INTO nope VALUES(1)"), { name: "ProgrammingError" });
  await db.close();
});

leakTest("an iteration that is left early", async (_, url) => {
  const db = weak(url);
  for await (const row of db.iterate(READ, [], { pageSize: 2 })) {
    if (row.a === 1) break;
  }
  await db.close();
});

for (
  const fault of ["cut before", "cut after request", "cut after headers", "cut in body"] as const
) {
  leakTest(`a read that is repeated after ${fault}`, async (proxy, url) => {
    const db = weak(url);
    proxy.script(fault);
    assert.equal((await db.query(READ)).rows.length, 4);
    assert.equal(proxy.requests.length, 2);
    await db.close();
  });

  leakTest(`a plain write that is lost by ${fault}`, async (proxy, url) => {
    const db = weak(url, { exactlyOnce: false });
    await db.execute(WRITE);
    proxy.script(fault);
    await assert.rejects(db.execute(WRITE), { name: "OutcomeUnknownError" });
    assert.equal(proxy.requests.length, 1);
    await db.close();
  });

  leakTest(`a write that is repeated after ${fault}`, async (proxy, url) => {
    const db = weak(url);
    await db.execute(WRITE);
    proxy.script(fault);
    // What is known of a copy that took effect by itself is only that it did.
    assert.equal((await db.execute(WRITE)).rowsAffected, fault === "cut before" ? 1 : -1);
    assert.equal(proxy.requests.length, 2);
    assert.equal((await db.query(READ)).rows.length, 6);
    await db.close();
  });
}

for (const fault of ["swallow", "swallow answer"] as const) {
  leakTest(`time that is up after ${fault}`, async (proxy, url) => {
    const db = weak(url, { timeout: 1000, retries: 0 });
    await db.execute(WRITE, [], { timeout: 30_000 });
    proxy.plan = () => fault;
    const plain = db.execute(WRITE, [], { exactlyOnce: false });
    await Promise.all([
      assert.rejects(db.query(READ), { name: "TimeoutError" }),
      assert.rejects(db.execute(WRITE), { name: "OutcomeUnknownError" }),
      assert.rejects(plain, { name: "OutcomeUnknownError" }),
    ]);
    await db.close();
  });
}

leakTest("an abort in flight, and one during a wait", async (proxy, url) => {
  for (
    const fault of ["swallow", {
      answer: "HTTP/1.1 503 X\r\ncontent-length: 0\r\nretry-after: 9\r\n\r\n",
    }] as const
  ) {
    const db = weak(url);
    const controller = new AbortController();
    const reason = new Error("enough");
    proxy.reset();
    proxy.plan = () => {
      setTimeout(() => controller.abort(reason), 20);
      return fault;
    };
    const read = db.query(READ, [], { signal: controller.signal });
    await assert.rejects(read, (error) => error === reason);
    await db.close();
  }
});

leakTest("close() in flight, and during a wait", async (proxy, url) => {
  for (
    const fault of ["swallow", {
      answer: "HTTP/1.1 503 X\r\ncontent-length: 0\r\nretry-after: 9\r\n\r\n",
    }] as const
  ) {
    const db = weak(url);
    proxy.plan = () => {
      setTimeout(() => void db.close(), 20);
      return fault;
    };
    await assert.rejects(db.query(READ), { name: "InterfaceError" });
  }
});

leakTest("a redirect to the leader", async (proxy, url) => {
  const db = weak(url);
  const answered: string[] = [];
  proxy.plan = ({ path }) => {
    answered.push(path);
    const location = `${proxy.target}${path}`;
    const body = "moved";
    return {
      answer:
        `HTTP/1.1 301 X\r\nlocation: ${location}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    };
  };
  assert.equal((await db.execute(WRITE)).rowsAffected, 1);
  assert.equal((await db.query(READ)).rows.length, 5);
  assert.equal(answered.length, 1);
  await db.close();
});

leakTest("a redirect away from the cluster", async (proxy, url) => {
  const db = weak(url, { retries: 0 });
  proxy.plan = () => ({
    answer: "HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/login\r\ncontent-length: 3\r\n\r\nbye",
  });
  await assert.rejects(db.execute(WRITE), { name: "OperationalError" });
  await db.close();
});

for (const status of [400, 401, 404, 500, 502, 503]) {
  leakTest(`an answer ${status} with a body`, async (proxy, url) => {
    const db = weak(url, { retries: 0 });
    proxy.plan = () => ({
      answer: `HTTP/1.1 ${status} X\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>`,
    });
    await assert.rejects(db.query(READ));
    await assert.rejects(db.execute(WRITE));
    await db.close();
  });
}

leakTest("a 401 after which credentials() are asked again", async (proxy, url) => {
  let asked = 0;
  const credentials = () => Promise.resolve({ username: "u", password: String(asked++) });
  const db = weak(url, { credentials });
  proxy.script({ answer: "HTTP/1.1 401 X\r\ncontent-length: 2\r\n\r\nno" });
  assert.equal((await db.query(READ)).rows.length, 4);
  assert.equal(asked, 2);
  await db.close();
});

leakTest("a node that refuses connections", async (proxy, url) => {
  const db = weak(url, { retries: 0 });
  await proxy.close();
  await assert.rejects(db.query(READ), { name: "ConnectionError" });
  await assert.rejects(db.execute(WRITE), { name: "ConnectionError" });
  await proxy.listen();
  await db.close();
});

leakTest("discovery, answered, under way or not", async (proxy, url) => {
  for (
    const fault of ["pass", "swallow", "swallow answer", "cut in body", {
      answer: "HTTP/1.1 404 X\r\ncontent-length: 2\r\n\r\nno",
    }] as const
  ) {
    const db = weak(url, { discover: true });
    proxy.plan = ({ path }) => path.startsWith("/nodes") ? fault : "pass";
    assert.equal((await db.query(READ)).rows.length, 4);
    await db.query(READ);
    await db.close();
  }
});

leakTest("the listeners of a signal that outlives many calls", async (proxy, url) => {
  const { signal, count } = countingSignal();
  const db = weak(url, { signal, timeout: 10_000 });
  for (let i = 0; i < 5; i++) {
    proxy.script(i % 2 === 0 ? "cut before" : "pass");
    await db.query(READ);
    await db.execute(WRITE);
    await assert.rejects(db.query("SELECT nope"));
  }
  assert.equal(count(), 0);
  await db.close();
});
