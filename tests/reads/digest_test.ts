import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { connect, type Param } from "../../mod.ts";
import { countColumns, digestOf, orderedDigestOf } from "../../src/reads/digest.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const local = new DatabaseSync(":memory:");

function digest(
  sql: string,
  columns: number,
  ...params: (bigint | number | string | Uint8Array | null)[]
): unknown {
  return Object.values(local.prepare(digestOf(sql, columns)).get(...params)!)[0];
}

const bits = new BigUint64Array(1);
const real = new Float64Array(bits.buffer);

function randomBits(): bigint {
  return crypto.getRandomValues(bits)[0]!;
}

/** A client would send it as an INTEGER. */
function isIntegral(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function randomReal(): number {
  do randomBits(); while (!Number.isFinite(real[0]) || isIntegral(real[0]!));
  return real[0]!;
}

function randomEveryday(): number {
  const value = (Math.random() - 0.5) * 10 ** Math.floor(Math.random() * 20 - 8);
  return isIntegral(value) ? randomReal() : value;
}

const random: Record<string, () => bigint | number | string> = {
  INTEGER: () => BigInt.asIntN(64, randomBits()) >> BigInt(Math.floor(Math.random() * 64)),
  REAL: randomReal,
  "REAL of everyday size": randomEveryday,
  TEXT: () =>
    String.fromCodePoint(
      ...Array.from({ length: 5 }, () => 1 + Math.floor(Math.random() * 0xd000)),
    ),
};

describe("digestOf()", () => {
  it("tells every value from every other, also neighbours among the REALs", () => {
    const values: (bigint | number)[] = [];
    for (let i = 0; i < 3000; i++) {
      values.push(randomReal(), BigInt.asIntN(64, randomBits()));
      real[0] = randomReal();
      bits[0]! += 1n;
      if (Number.isFinite(real[0]) && !isIntegral(real[0]!)) values.push(real[0]);
    }
    for (const one of [5e-324, 2 ** -1022, Number.MAX_VALUE, 0.1, 0.1 + Number.EPSILON / 8]) {
      values.push(one, -one);
    }
    const digests = new Map(values.map((value) => [digest("SELECT ?", 1, value), value]));
    assert.equal(digests.size, new Set(values).size);
  });

  it("keeps types apart, and does not depend on the order of rows", () => {
    const all = [1n, 1.5, "1", "31", new Uint8Array([0x31]), null, "", new Uint8Array()];
    assert.equal(new Set(all.map((value) => digest("SELECT ?", 1, value))).size, all.length);
    assert.equal(digest("SELECT 1, 2 UNION SELECT 2, 1", 2), digest("VALUES (2, 1), (1, 2)", 2));
    assert.notEqual(digest("VALUES (1, 2), (2, 1)", 2), digest("VALUES (1, 1), (2, 2)", 2));
    assert.notEqual(digest("VALUES (1), (1)", 1), digest("VALUES (1)", 1));
    assert.equal(digest("SELECT 1 WHERE 0", 1), "");
    assert.equal(
      digest("WITH a AS (SELECT 1 AS x) SELECT x, x FROM a ORDER BY 1 LIMIT 1", 2),
      "i1,i1",
    );
  });

  it("is of the rows that the read answers, also of LIMIT without an order", () => {
    local.exec("CREATE TABLE unordered(t TEXT); INSERT INTO unordered VALUES('z'), ('a')");
    const first = local.prepare("SELECT t FROM unordered LIMIT 1").get()!;
    assert.equal(first.t, "z");
    assert.equal(digest("SELECT t FROM unordered LIMIT 1", 1), "t7A");
    assert.equal(digest("SELECT t FROM unordered LIMIT 1 OFFSET 1", 1), "t61");
  });

  it("is the same on a server of another SQLite", { skip: skipWithoutRqlited() }, async () => {
    const server = await startRqlited();
    try {
      const db = connect(server.url, { level: "weak", rows: "array" });
      for (const [type, next] of Object.entries(random)) {
        for (let i = 0; i < 20; i++) {
          const values = Array.from({ length: 500 }, next);
          const sql = `VALUES ${values.map(() => "(?)").join()}`;
          const { rows } = await db.query<Param[]>(digestOf(sql, 1), values);
          assert.ok(rows[0]![0] === digest(sql, 1, ...values), `${type}: ${values}`);
        }
      }
    } finally {
      await server.stop();
    }
  });
});

/** Rows in an order that no index has, with and without a LIMIT. */
const ordered: readonly (readonly [string, string])[] = [
  ["VALUES (2), (3), (1)", "i2;i3;i1"],
  ["SELECT column1 FROM (VALUES (2), (3), (1)) ORDER BY 1 DESC", "i3;i2;i1"],
  ["SELECT column1 FROM (VALUES (2), (3), (1)) ORDER BY -column1 LIMIT 2", "i3;i2"],
  [
    "WITH a(x) AS (VALUES (1), (2)) SELECT a.x * b.x FROM a, a AS b ORDER BY a.x DESC, b.x",
    "i2;i4;i1;i2",
  ],
  ["SELECT 1 WHERE 0", ""],
];

describe("orderedDigestOf()", () => {
  it("has the rows in the order of the read", () => {
    for (const [sql, expected] of ordered) {
      const row = local.prepare(orderedDigestOf(sql, 1)).get()!;
      assert.equal(Object.values(row)[0], expected, sql);
    }
  });

  it("is the same on a server of another SQLite", { skip: skipWithoutRqlited() }, async () => {
    const server = await startRqlited();
    try {
      const response = await fetch(`${server.url}/db/query?level=weak`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(ordered.map(([sql]) => orderedDigestOf(sql, 1))),
      });
      const { results } = await response.json();
      const told = results.map(({ values }: { values: unknown[][] }) => values[0]![0]);
      assert.deepEqual(told, ordered.map(([, expected]) => expected));
    } finally {
      await server.stop();
    }
  });
});

describe("countColumns()", () => {
  it("counts what a read answers, and does not guess behind `*`", () => {
    const known: [string, number][] = [
      ["SELECT a, b, max(a, b) FROM t", 3],
      ["SELECT DISTINCT a FROM t, u", 1],
      ["SELECT a IS DISTINCT FROM b, c", 2],
      ["WITH x AS (SELECT 1, 2) SELECT 1, 2, (SELECT 3 FROM t), 4 FROM x, y", 4],
      ["VALUES (1, 2, (3)), (4, 5, 6)", 3],
      ["SELECT count(*), a * b FROM t GROUP BY a, b", 2],
      ["SELECT a, row_number() OVER (ORDER BY a, b) FROM t ORDER BY 1, 2", 2],
      ["SELECT 1, 2 UNION SELECT 3, 4", 2],
    ];
    for (const [sql, columns] of known) assert.equal(countColumns(sql), columns, sql);
    for (const sql of ["SELECT * FROM t", "SELECT a, t.* FROM t", "SELECT DISTINCT * FROM t"]) {
      assert.equal(countColumns(sql), undefined, sql);
    }
  });
});
