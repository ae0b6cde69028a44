import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, ConnectionError } from "../../mod.ts";

/** Blocks no port, and says of one that nobody listens on that the connection was lost. */
const WORKERD = globalThis.navigator?.userAgent === "Cloudflare-Workers";

describe("a port that fetch blocks", () => {
  for (const port of WORKERD ? [] : [1, 6000, 10080]) {
    it(`${port} is a ConnectionError: a write without an id was not applied`, async () => {
      const node = `http://127.0.0.1:${port}`;
      const db = connect(node, { retries: 0, exactlyOnce: false });
      const error = await db.execute("DELETE FROM t").then(() => undefined, (error) => error);
      assert.ok(error instanceof ConnectionError, String(error));
      assert.ok(error.message.startsWith(`Cannot reach ${node}: `), error.message);
      await db.close();
    });
  }
});
