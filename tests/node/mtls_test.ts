// A server that only answers clients with a certificate of a private authority.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect, ConnectionError } from "../../mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { type Rqlited, skipWithoutRqlited, spawnRqlited } from "../support/rqlited.ts";
import { until } from "../support/http.ts";
import { type Certificates, makeCertificates, skipWithoutOpenssl } from "./certificates.ts";
import { ownFetch } from "./own_fetch.ts";

describe("client certificates", { skip: skipWithoutRqlited() || skipWithoutOpenssl() }, () => {
  let files: Certificates;
  let server: Rqlited;
  let url: string;

  before(async () => {
    files = makeCertificates();
    server = await spawnRqlited({
      args: [
        ...["-http-cert", files.path("server.pem"), "-http-key", files.path("server-key.pem")],
        ...["-http-ca-cert", files.path("ca.pem"), "-http-verify-client"],
      ],
    });
    url = server.url.replace("http:", "https:");
    const { ca, cert, key } = files;
    const probe = nodeFetch({ ca, cert, key });
    await until("answer over TLS", async () => {
      const answer = await probe(`${url}/readyz`).catch(() => undefined);
      await answer?.text();
      return answer?.status === 200 || undefined;
    }, { details: () => server.log() });
    probe.close();
  });

  after(async () => {
    await server?.stop();
    files?.remove();
  });

  const failure = async (db: Client): Promise<unknown> => {
    try {
      return await db.query("SELECT 1").then(() => "answered", (error: unknown) => error);
    } finally {
      await db.close();
    }
  };

  it("nodeFetch() reads and writes with one", async () => {
    const { ca, cert, key } = files;
    const transport = nodeFetch({ ca, cert, key });
    const db = connect(url, { fetch: transport, close: transport.close });
    await db.execute("CREATE TABLE t(n)");
    await db.transaction(async (tx) => {
      await tx.execute("INSERT INTO t VALUES(?)", ["x".repeat(100_000)]);
      assert.deepEqual((await tx.query("SELECT length(n) AS n FROM t")).rows, [{ n: 100_000 }]);
    });
    assert.deepEqual((await db.query("SELECT count(*) AS n FROM t")).rows, [{ n: 1 }]);
    await db.close();
  });

  it("without one nothing is answered", async () => {
    const { ca } = files;
    const transport = nodeFetch({ ca });
    const error = await failure(
      connect(url, { fetch: transport, close: transport.close, retries: 0 }),
    );
    assert.ok(error instanceof ConnectionError, String(error));
  });

  it("a server of an unknown authority is refused, unless that is wanted", async () => {
    const { cert, key } = files;
    const strict = nodeFetch({ cert, key });
    const error = await failure(connect(url, { fetch: strict, close: strict.close, retries: 0 }));
    assert.ok(error instanceof ConnectionError, String(error));
    const trusting = nodeFetch({ cert, key, rejectUnauthorized: false });
    const db = connect(url, { fetch: trusting, close: trusting.close, retries: 0 });
    assert.equal(await failure(db), "answered");
  });

  it("the runtime's own fetch takes one where it can", async (t) => {
    const own = ownFetch(files);
    if (own === undefined) return t.skip("Node's fetch has no option for it");
    const close = (own as { close?: () => void }).close;
    const db = connect(url, { fetch: own, ...(close !== undefined && { close }) });
    assert.equal(await failure(db), "answered");
  });
});
