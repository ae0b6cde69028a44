import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, type Connection, OutcomeUnknownError } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

/** A network that passes requests on and can lose their answers. */
class Network {
  readonly engine = embedded();
  /** How many answers still arrive. */
  arrive = Infinity;

  connect(options: { autocommit?: boolean } = {}): Connection {
    const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const response = await this.engine.fetch(input, init);
      if (this.arrive-- > 0) return response;
      throw new TypeError("fetch failed");
    };
    return connect({
      fetch: fetch as typeof globalThis.fetch,
      retries: 0,
      ...options,
    });
  }

  /** What is stored, by a network that works. */
  async count(): Promise<unknown> {
    const connection = connect({ fetch: this.engine.fetch });
    const cursor = await connection.execute("SELECT count(*) FROM t");
    const [row] = await cursor.fetchAll();
    await connection.close();
    return row![0];
  }
}

describe("a connection whose answers are lost", () => {
  it("commit() says that the outcome is unknown, and the connection goes on", async () => {
    const network = new Network();
    const connection = network.connect();
    await connection.execute("CREATE TABLE t(n INTEGER)");
    await connection.commit();
    await connection.execute("INSERT INTO t VALUES(1)");
    network.arrive = 0;
    const error = await connection.commit().catch((error: unknown) => error);
    assert.ok(error instanceof OutcomeUnknownError, String(error));
    assert.equal(typeof error.id, "string");
    assert.equal(connection.inTransaction, false);
    network.arrive = Infinity;
    await connection.execute("INSERT INTO t VALUES(2)");
    await connection.commit();
    assert.equal(await network.count(), 2);
    await connection.close();
    network.engine.close();
  });

  it("executeMany() with autocommit says how many rows are certain", async () => {
    const network = new Network();
    const connection = network.connect({ autocommit: true });
    await connection.execute("CREATE TABLE t(n INTEGER)");
    const cursor = connection.cursor();
    const rows = Array.from({ length: 35_000 }, (_, i) => [i]);
    // Now it knows what it asks before a write.
    await cursor.execute("DELETE FROM t");
    network.arrive = 2;
    const error = await cursor.executeMany("INSERT INTO t VALUES(?)", rows).catch((error) => error);
    assert.ok(error instanceof OutcomeUnknownError, String(error));
    assert.equal(error.rowsApplied, 20_000);
    assert.equal(cursor.rowCount, 20_000);
    assert.equal(await network.count(), 30_000);
    await connection.close();
    network.engine.close();
  });

  it("executeMany() in a transaction leaves nothing behind, as it was only tried", async () => {
    const network = new Network();
    const connection = network.connect();
    await connection.execute("CREATE TABLE t(n INTEGER)");
    await connection.commit();
    await connection.execute("INSERT INTO t VALUES(0)");
    network.arrive = 0;
    const many = connection.cursor().executeMany("INSERT INTO t VALUES(?)", [[1], [2]]);
    await assert.rejects(many, { name: "ConnectionError" });
    network.arrive = Infinity;
    await connection.commit();
    assert.equal(await network.count(), 1);
    await connection.close();
    network.engine.close();
  });
});
