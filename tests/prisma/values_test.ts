// Every scalar type of Prisma there and back, as SQLite stores it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { PrismaRqlite } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { Prisma, PrismaClient } from "./generated/client.ts";
import { SQL, suites } from "./world.ts";

suites("values of Prisma", (test) => {
  test("every scalar type comes back as it was given", async ({ prisma }) => {
    const data = {
      int: -(2 ** 31),
      big: 2n ** 63n - 1n,
      float: 0.1,
      decimal: new Prisma.Decimal("1234.5678"),
      flag: false,
      at: new Date("1969-07-20T20:17:40.123Z"),
      bytes: Uint8Array.of(0, 1, 128, 255),
      json: { a: [1, "two", null, { b: true }] },
      text: "π 🦀 ' \" \n end",
      role: "WRITER" as const,
    };
    const created = await prisma.every.create({ data });
    const found = await prisma.every.findUniqueOrThrow({ where: { id: created.id } });
    assert.deepEqual(found, created);
    const { id: _, stamp, ...values } = found;
    assert.deepEqual(values, data);
    assert.ok(stamp instanceof Date && stamp.getTime() > 0);
  });

  test("null comes back as null", async ({ prisma }) => {
    const { id: _, stamp: __, ...values } = await prisma.every.create({ data: {} });
    assert.deepEqual(new Set(Object.values(values)), new Set([null]));
  });

  test("integers are exact at the ends of what is exact in a number, and beyond", async ({ prisma }) => {
    for (const big of [2n ** 53n - 1n, 2n ** 53n + 1n, -(2n ** 63n)]) {
      const { id } = await prisma.every.create({ data: { big } });
      const found = await prisma.every.findMany({ where: { big } });
      assert.deepEqual(found.map((one) => [one.id, one.big]), [[id, big]]);
    }
    const { _sum } = await prisma.every.aggregate({
      _sum: { big: true },
      where: { big: { gt: 0 } },
    });
    assert.equal(_sum.big, 2n ** 54n);
  });

  test("ids beyond 2^53 find their rows, and are not rounded", async ({ prisma }) => {
    const ids = [2n ** 53n, 2n ** 53n + 1n, 2n ** 62n];
    await prisma.account.createMany({
      data: ids.map((id) => ({ id, owner: `${id}`, balance: 1 })),
    });
    const where = { id: 2n ** 53n + 1n };
    const { id, owner } = await prisma.account.update({ where, data: { balance: 2 } });
    assert.deepEqual([id, owner], [where.id, `${where.id}`]);
    const raw = await prisma.$queryRaw`SELECT id FROM Account ORDER BY id`;
    assert.deepEqual(raw, ids.map((id) => ({ id })));
    const max = await prisma.$queryRaw`SELECT max(id) AS id FROM Account`;
    assert.deepEqual(max, [{ id: 2n ** 62n }]);
  });

  test("a Json field keeps what a column of numbers would change", async ({ prisma }) => {
    for (const json of [7, -1.5, true, "7", "text", [], {}, { deep: { n: 2 ** 53 - 1 } }]) {
      const { id } = await prisma.every.create({ data: { json } });
      const found = await prisma.every.findUniqueOrThrow({ where: { id } });
      assert.deepEqual(found.json, json);
    }
    const none = await prisma.every.create({ data: { json: Prisma.JsonNull } });
    assert.equal(none.json, null);
    assert.equal(await prisma.every.count({ where: { json: { equals: Prisma.JsonNull } } }), 1);
    assert.equal(
      await prisma.every.count({ where: { json: { path: "$.deep.n", equals: 2 ** 53 - 1 } } }),
      1,
    );
  });

  test("dates are stored as text that sorts, and are found by range", async ({ prisma, client }) => {
    const dates = [
      "0099-01-01T00:00:00.000Z",
      "1970-01-01T00:00:00.001Z",
      "2024-02-29T12:00:00.000Z",
    ];
    for (const at of dates) await prisma.timed.create({ data: { at } });
    const { rows } = await client.query("SELECT +at FROM Timed ORDER BY id", [], { rows: "array" });
    assert.deepEqual(rows.flat(), dates.map((date) => date.replace("Z", "+00:00")));
    const between = await prisma.timed.findMany({
      where: { at: { gt: new Date(0), lt: new Date("2024-03-01") } },
      orderBy: { at: "desc" },
    });
    assert.deepEqual(between.map(({ at }) => at.toISOString()), [dates[2], dates[1]]);
    const { _min } = await prisma.timed.aggregate({ _min: { at: true } });
    assert.equal(_min.at?.toISOString(), dates[0]);
  });

  test("a Decimal that is an integer keeps all of its digits", async ({ prisma }) => {
    const decimal = new Prisma.Decimal("9007199254740993");
    const { id } = await prisma.every.create({ data: { decimal } });
    const found = await prisma.every.findUniqueOrThrow({ where: { id } });
    assert.equal(found.decimal?.toFixed(), decimal.toFixed());
    assert.equal(await prisma.every.count({ where: { decimal } }), 1);
  });

  test("a date that is none, or whose text would not sort, is refused before anything is sent", async ({ prisma, network }) => {
    const before = network.requests.length;
    await assert.rejects(prisma.timed.create({ data: { at: new Date(NaN) } }));
    for (const at of [new Date("+010000-01-01"), new Date("-000001-12-31")]) {
      await assert.rejects(prisma.timed.create({ data: { at } }), { code: "P2023" });
      await assert.rejects(prisma.timed.count({ where: { at: { lt: at } } }), /0 to 9999/);
      await assert.rejects(prisma.$queryRaw`SELECT ${at} AS at`, /0 to 9999/);
    }
    assert.equal(network.requests.length, before);
  });
});

describe("PrismaRqlite with timestampFormat", () => {
  const EPOCH = SQL.replaceAll("DATETIME NOT NULL", "INTEGER NOT NULL").replaceAll(
    "DATETIME",
    "BIGINT",
  );

  it('"unixepoch-ms" keeps milliseconds in columns declared INTEGER', async () => {
    const client = connect(embedded());
    await client.script(EPOCH);
    const adapter = new PrismaRqlite({ client }, { timestampFormat: "unixepoch-ms" });
    const prisma = new PrismaClient({ adapter });
    const dates = [-1e12 - 1, -5, 0, 1, 9e11, 1.7e12, 253402300799999].map((ms) => new Date(ms));
    for (const at of dates) await prisma.timed.create({ data: { at } });
    const found = await prisma.timed.findMany({ orderBy: { at: "asc" } });
    assert.deepEqual(found.map(({ at }) => at), dates);
    const { rows } = await client.query("SELECT at FROM Timed ORDER BY at", [], { rows: "array" });
    assert.deepEqual(rows.flat(), dates.map(Number));
    assert.equal(await prisma.timed.count({ where: { at: { lte: new Date(0) } } }), 3);
    await prisma.$disconnect();
    await client.close();
  });

  it('"unixepoch-ms" refuses columns declared DATETIME before it writes any', async () => {
    const client = connect(embedded());
    await client.script(SQL);
    // What is asked about columns must not be answered by a table of that name.
    await client.execute("CREATE TABLE pragma_table_info(name TEXT, type TEXT)");
    const adapter = new PrismaRqlite({ client }, { timestampFormat: "unixepoch-ms" });
    const prisma = new PrismaClient({ adapter });
    await assert.rejects(prisma.timed.create({ data: { at: new Date() } }), /declare it INTEGER/);
    assert.equal(await client.value("SELECT count(*) FROM Timed"), 0);
    await prisma.$disconnect();
    await client.close();
  });
});
