import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as dbapi from "../../src/dbapi/mod.ts";

describe("types of dbapi", () => {
  it("STRING, BINARY, NUMBER, DATETIME and ROWID include their declared types", () => {
    const cases: [dbapi.TypeObject, string[]][] = [
      [dbapi.STRING, ["text", "TEXT", "varchar(20)", "nchar(5)", "clob"]],
      [dbapi.BINARY, ["blob", "BLOB", "varbinary(9)"]],
      [dbapi.NUMBER, [
        "integer",
        "int",
        "bigint",
        "real",
        "double precision",
        "float",
        "decimal(9,2)",
        "numeric",
        "boolean",
      ]],
      [dbapi.DATETIME, ["date", "datetime", "timestamp", "time"]],
      [dbapi.ROWID, ["integer", "INTEGER"]],
    ];
    for (const [object, types] of cases) {
      for (const type of types) {
        assert.ok(object.includes(type), `${object.name} ${type}`);
        const others = cases.filter(([other]) => other !== object && other !== dbapi.ROWID);
        const strangers = object === dbapi.ROWID ? [] : others;
        for (const [other] of strangers) assert.ok(!other.includes(type), `${other.name} ${type}`);
      }
      assert.equal(object.includes(null), false);
    }
    assert.equal(dbapi.ROWID.includes("int"), false);
  });

  it("Date(), Time() and Timestamp() write what SQLite's functions read", () => {
    assert.equal(dbapi.Date(2002, 12, 25), "2002-12-25");
    assert.equal(dbapi.Date(33, 4, 3), "0033-04-03");
    assert.equal(dbapi.Time(13, 45, 30), "13:45:30");
    assert.equal(dbapi.Timestamp(2024, 2, 29, 0, 0, 0), "2024-02-29T00:00:00.000Z");
  });

  it("DateFromTicks(), TimeFromTicks() and TimestampFromTicks() take seconds", () => {
    const ticks = 1_040_823_930;
    assert.equal(dbapi.DateFromTicks(ticks), "2002-12-25");
    assert.equal(dbapi.TimeFromTicks(ticks), "13:45:30");
    assert.equal(dbapi.TimestampFromTicks(ticks + 0.25), "2002-12-25T13:45:30.250Z");
  });

  it("the constructors of dates refuse what the calendar does not have", () => {
    assert.throws(() => dbapi.Date(2023, 2, 29), RangeError);
    assert.throws(() => dbapi.Date(2023, 13, 1), RangeError);
    assert.throws(() => dbapi.Date(10_000, 1, 1), RangeError);
    assert.throws(() => dbapi.Time(24, 0, 0), RangeError);
    assert.throws(() => dbapi.Timestamp(2023, 1, 1, 0, 60, 0), RangeError);
    assert.throws(() => dbapi.Date(2023.5, 1, 1), RangeError);
    assert.throws(() => dbapi.TimestampFromTicks(NaN), RangeError);
    assert.throws(() => dbapi.DateFromTicks(1e18), RangeError);
  });

  it("Binary() makes bytes of text, buffers, views and lists, always its own", () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const view = bytes.subarray(1, 3);
    assert.deepEqual(dbapi.Binary("é"), new Uint8Array([0xc3, 0xa9]));
    assert.deepEqual(dbapi.Binary([1, 2]), new Uint8Array([1, 2]));
    assert.deepEqual(dbapi.Binary(bytes.buffer), bytes);
    const copy = dbapi.Binary(view);
    assert.deepEqual(copy, new Uint8Array([2, 3]));
    bytes[1] = 9;
    assert.deepEqual(copy, new Uint8Array([2, 3]));
  });
});
