// How current a read has to be: what reaches the wire, and servers without level "linearizable".
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Level, QueryOptions } from "../../mod.ts";
import { recorded, type Topic } from "./target.ts";

const LEVELS: readonly Level[] = ["none", "weak", "strong", "auto"];

export const levels: Topic = (target) => {
  describe("level", () => {
    for (const level of LEVELS) {
      it(`"${level}" reaches the wire from the call and from the client`, async () => {
        for (
          const [client, call] of [[{ level }, {}], [{}, { level }], [{ level: "weak" }, {
            level,
          }]] as const
        ) {
          const { db, sent } = recorded(target(), client);
          assert.deepEqual((await db.query("SELECT 1 AS a", [], call)).rows, [{ a: 1 }]);
          await db.batch(["SELECT 1", "SELECT 2"], call);
          assert.deepEqual(sent.map(({ flags }) => flags.get("level")), [level, level]);
        }
      });
    }

    it('"linearizable" is the default, and is "strong" where the server does not have it', async () => {
      const { db, sent } = recorded(target());
      for (let i = 0; i < 3; i++) {
        assert.deepEqual((await db.query("SELECT 1 AS a")).rows, [{ a: 1 }]);
      }
      await db.batch(["SELECT 1", "SELECT 2"]);
      const seen = sent.map(({ flags }) => flags.get("level"));
      if (target().linearizable) {
        const probes = sent.filter(({ flags }) =>
          flags.get("linearizable_timeout") === "unreadable"
        );
        assert.ok(probes.length <= 1);
        const real = sent.filter((one) => !probes.includes(one));
        assert.deepEqual(
          real.map(({ flags }) => flags.get("level")),
          Array(4).fill("linearizable"),
        );
        return;
      }
      // It is noticed once, by the first read, which then counts for nothing.
      assert.equal(seen[0], "linearizable");
      assert.deepEqual(seen.slice(-4), Array(4).fill("strong"));
      assert.ok(seen.length <= 6);
    });

    it("does not go with writes", async () => {
      for (const exactlyOnce of [true, false]) {
        const { db, sent } = recorded(target(), { level: "strong", exactlyOnce });
        await db.execute("DROP TABLE IF EXISTS no_such_table");
        const writes = sent.filter(({ body }) => body.includes("no_such_table"));
        assert.deepEqual(writes.map(({ flags }) => flags.has("level")), [false]);
      }
    });
  });

  describe("freshness", () => {
    it("reaches the wire as a duration", async () => {
      const { db, sent } = recorded(target());
      const cases: [QueryOptions, string | null, boolean][] = [
        [{ freshness: 1500 }, "1500ms", false],
        [{ freshness: 0.5 }, "500us", false],
        [{ freshness: 60_000, freshnessStrict: true }, "60000ms", true],
        [{}, null, false],
      ];
      for (const [options, freshness, strict] of cases) {
        sent.length = 0;
        await db.query("SELECT 1", [], { level: "none", ...options });
        const { flags } = sent[0]!;
        assert.deepEqual([flags.get("freshness"), flags.has("freshness_strict")], [
          freshness,
          strict,
        ]);
      }
    });

    it("is wanted by freshnessStrict", async () => {
      const { db, sent } = recorded(target());
      await assert.rejects(db.query("SELECT 1", [], { level: "none", freshnessStrict: true }), {
        name: "TypeError",
        message: "Cannot use `freshnessStrict` without `freshness`",
      });
      assert.equal(sent.length, 0);
    });
  });

  describe("an option of a call", () => {
    const wrong: readonly [options: Record<string, unknown>, name: string, message: RegExp][] = [
      [
        { level: "weakest" },
        "TypeError",
        /`level` as it must be one of none, .*: current value is "weakest"/,
      ],
      [{ integers: "int" }, "TypeError", /`integers` as it must be one of number, bigint/],
      [{ rows: "map" }, "TypeError", /`rows` as it must be one of object, array/],
      [{ timeout: -1 }, "RangeError", /`timeout` as it must be a positive .*: current value is -1/],
      [{ timeout: 0 }, "RangeError", /`timeout`/],
      [{ timeout: NaN }, "RangeError", /`timeout`/],
      [{ timeout: "5" }, "TypeError", /`timeout`.*: write 5/],
      [{ freshness: -1 }, "RangeError", /`freshness`/],
      [{ freshness: Infinity }, "RangeError", /`freshness`/],
      [{ signal: {} }, "TypeError", /`signal` as it must be an AbortSignal/],
    ];
    const NO_OPTION = { name: "TypeError", message: /as there is no such option/ };
    for (const [options, name, message] of wrong) {
      it(`${JSON.stringify(options)} is a ${name} before anything is sent`, async () => {
        const { db, sent } = recorded(target());
        await assert.rejects(db.query("SELECT 1", [], options as QueryOptions), { name, message });
        const written = db.execute("DELETE FROM t", [], options as QueryOptions);
        const ofReads = "level" in options || "freshness" in options;
        await assert.rejects(written, ofReads ? NO_OPTION : { name, message });
        await assert.rejects(db.batch(["SELECT 1"], options as QueryOptions), { name, message });
        assert.throws(() => db.iterate("SELECT a FROM t", [], options as QueryOptions), {
          name,
          message,
        });
        assert.equal(sent.length, 0);
      });
    }
  });
};
