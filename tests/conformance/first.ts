// The first row, and its first value; and statements made of objects.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql } from "../../mod.ts";
import { freshTable, recorded, type Topic } from "./target.ts";

export const first: Topic = (target) => {
  const people = async (): Promise<string> => {
    const table = await freshTable(target(), "id INTEGER PRIMARY KEY, name TEXT, big INTEGER");
    const rows = [{ name: "Ada", big: 1n }, { name: null, big: 2n ** 60n }];
    await target().db.execute(sql`INSERT INTO ${sql.id(table)} ${sql.insert(rows)}`);
    return table;
  };
  describe("first() and value()", () => {
    it("answer the first of several rows, and send the statement as it is", async () => {
      const table = await people();
      const { db, sent } = recorded(target(), { level: "weak" });
      const text = `SELECT name, id FROM ${table} ORDER BY id`;
      assert.deepEqual(await db.first(text), { name: "Ada", id: 1 });
      assert.equal(await db.value(text), "Ada");
      // What goes in front of a read after DDL is the client's own.
      const texts = sent.map(({ body }) => (JSON.parse(body) as unknown[]).at(-1));
      assert.deepEqual(texts, [text, text]);
    });

    it("answer undefined where there is no row, and null for NULL", async () => {
      const table = sql.id(await people());
      const { db } = target();
      const none = sql`SELECT * FROM ${table} WHERE id = ${99}`;
      assert.equal(await db.first(none), undefined);
      assert.equal(await db.value(none), undefined);
      const nothing = sql`SELECT name FROM ${table} WHERE id = ${2}`;
      assert.deepEqual(await db.first(nothing), { name: null });
      assert.equal(await db.value(nothing), null);
    });

    it("take lists, names and fragments, and the options of query()", async () => {
      const text = `SELECT big, id FROM ${await people()} WHERE id = `;
      const { db, sent } = recorded(target());
      const options = { integers: "bigint", level: "strong" } as const;
      assert.deepEqual(await db.first(`${text} ?`, [2], { ...options, rows: "array" }), [
        2n ** 60n,
        2n,
      ]);
      assert.equal(await db.value(`${text} :id`, { id: 2 }, options), 2n ** 60n);
      assert.equal(await db.value(sql`${sql.raw(text)} ${1}`, [], { integers: "string" }), "1");
      assert.equal(sent[0]!.flags.get("level"), "strong");
    });

    it("keep the first column where another has the same name, or is named like an index", async () => {
      const { db } = target();
      assert.equal(await db.value("SELECT 1 AS a, 2 AS a"), 1);
      assert.equal(await db.value('SELECT 1 AS b, 2 AS "0"'), 1);
    });

    it("refuse what writes, as query() does: also INSERT with RETURNING", async () => {
      const table = await people();
      const { db, sent } = recorded(target());
      const text = `INSERT INTO ${table}(name) VALUES('x') RETURNING id`;
      const expected = {
        name: "ProgrammingError",
        message: "Cannot query with INSERT as it changes the database: call execute() instead",
      };
      await assert.rejects(db.first(text), expected);
      await assert.rejects(db.value(text), expected);
      assert.equal(sent.length, 0);
    });

    it("reject as query() does", async () => {
      const { db } = target();
      const expected = { name: "ProgrammingError", message: /no such table/ };
      await assert.rejects(db.first("SELECT * FROM no_such_table"), expected);
      await assert.rejects(db.value("SELECT * FROM no_such_table"), expected);
      await assert.rejects(db.value("SELECT ?", []), { name: "ProgrammingError" });
    });
  });

  describe("sql.insert() and sql.set()", () => {
    it("write what they say, with values of each kind and fragments", async () => {
      const { db } = target();
      const table = sql.id(
        await freshTable(target(), 'id INTEGER PRIMARY KEY, "a ""b""" TEXT, c BLOB, d TEXT'),
      );
      const rows = [
        { id: 1, 'a "b"': "x'41'", c: new Uint8Array([1]), d: new Date(0) },
        { d: null, c: true, 'a "b"': sql`upper(${"y"})`, id: 2n },
      ];
      const inserted = await db.execute(sql`INSERT INTO ${table} ${sql.insert(rows)}`);
      assert.equal(inserted.rowsAffected, 2);
      const change = sql.set({ 'a "b"': sql`"a ""b""" || ${"!"}`, c: 5 });
      await db.execute(sql`UPDATE ${table} SET ${change} WHERE id = ${2}`);
      const read = await db.query(sql`SELECT * FROM ${table} ORDER BY id`, [], { rows: "array" });
      assert.deepEqual(read.rows as unknown, [
        [1, "x'41'", new Uint8Array([1]), "1970-01-01T00:00:00.000Z"],
        [2, "Y!", 5, null],
      ]);
    });
  });
};
