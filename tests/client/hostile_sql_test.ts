// Texts that would hurt a node or another client, and do not: a short form of tests/soak/hostile_sql.ts, and what that has
// found.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { attack, HOSTILE_ARGS } from "./hostile.ts";

const ENDLESS = "WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

/** Ways to ask for what never ends. */
const WAYS: Readonly<Record<string, (db: Client, timeout: number) => Promise<unknown>>> = {
  "a strong query": (db, timeout) => db.query(ENDLESS, [], { level: "strong", timeout }),
  "a strong query of a view": (db, timeout) =>
    db.query("SELECT n FROM endless", [], { level: "strong", timeout }),
  "a transaction that has written": (db, timeout) =>
    db.transaction(async (tx) => {
      await tx.execute("INSERT INTO t(b) VALUES(1)");
      await tx.query(ENDLESS);
    }, { timeout }),
};

describe("a hostile text", { skip: skipWithoutRqlited() }, () => {
  it("hurts neither the server nor another client, whatever way it goes", async () => {
    await using server = await startRqlited({ args: HOSTILE_ARGS });
    const { wrong, endings } = await attack(server, { texts: 2000, seed: 20261130, slack: 10_000 });
    assert.deepEqual(wrong, []);
    for (const code of ["done", "ERR_PROGRAMMING", "ERR_NOT_SUPPORTED", "SQLITE_ERROR"]) {
      assert.ok(endings.get(code)! > 100, code);
    }
  });

  for (const [what, ask] of Object.entries(WAYS)) {
    it(`without an end, in ${what}, does not hold up other clients`, async () => {
      await using server = await startRqlited();
      await using db = connect(server.url);
      await db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
      await db.execute(`CREATE VIEW endless(n) AS ${ENDLESS}`);
      await assert.rejects(ask(db, 500), { code: "ERR_TIMEOUT" });
      await using other = connect(server.url);
      assert.equal((await other.execute("INSERT INTO t(b) VALUES(2)")).rowsAffected, 1);
      assert.deepEqual((await other.query("SELECT b FROM t")).rows, [{ b: 2 }]);
    });
  }

  for (
    const text of [
      "DELETE FROM sqlite_sequence",
      "UPDATE sqlite_sequence SET seq = 0",
      "update main.[SQLITE_sequence] SET seq = ? WHERE 1 OR name = ? RETURNING seq",
    ]
  ) {
    it(`lets other clients commit: ${text}`, async () => {
      await using server = await startRqlited();
      await using db = connect(server.url);
      await db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT)");
      const params = text.includes("?") ? [0, "t"] : [];
      const ways: readonly (() => Promise<unknown>)[] = [
        () => db.execute(text, params),
        () => db.batch([[text, ...params]]),
        () => db.transaction((tx) => tx.execute(text, params)),
      ];
      for (const begin of ways) {
        await db.execute("DELETE FROM t");
        await db.execute("INSERT INTO t DEFAULT VALUES");
        await db.execute("DELETE FROM t");
        await begin();
        await using other = connect(server.url);
        assert.equal((await other.execute("INSERT INTO t DEFAULT VALUES")).lastInsertId, 1);
      }
    });
  }
});
