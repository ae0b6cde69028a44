// The seal on the table of commits in files of every form: no late copy of a commit gets into what was loaded.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, DataError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { databaseFile } from "../support/database_file.ts";

interface Place {
  readonly db: Client;
  /** Sends everything again that was sent to enter commits. */
  readonly sendAgain: () => Promise<void>;
}

function open(): Place {
  const engine = embedded();
  const sent: [string, RequestInit][] = [];
  const db = connect({
    fetch: async (input, init = {}) => {
      const body = typeof init.body === "string" ? init.body : "";
      if (body.includes("INTO _rqlite_commit")) sent.push([String(input), { ...init }]);
      return await engine.fetch(input, init);
    },
    close: () => engine.close(),
  });
  const sendAgain = async () => {
    assert.ok(sent.length > 0);
    for (const [url, { signal: _, ...init }] of [...sent]) await engine.fetch(url, init);
  };
  return { db, sendAgain };
}

/** SQL that makes a database with a log, of which a backup is made before its last write. */
async function history(place: Place, tables: number): Promise<string> {
  const { db } = place;
  await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
  const columns = Array.from({ length: 20 }, (_, i) => `column_${i} TEXT`).join(", ");
  await db.batch(Array.from({ length: tables }, (_, i) => `CREATE TABLE filler_${i}(${columns})`));
  await db.execute("INSERT INTO notes(body) VALUES('kept')");
  const text = await new Response(await db.backup({ format: "sql" })).text();
  await db.execute("INSERT INTO notes(body) VALUES('late')");
  return text.replace("PRAGMA foreign_keys=OFF;", "");
}

const FORMS: Readonly<Record<string, { before: string; tables: number; after?: string }>> = {
  "whose schema is on one page": { before: "", tables: 0 },
  "whose schema is on many pages, in several levels": {
    before: "PRAGMA page_size = 512;",
    tables: 300,
  },
  "whose log has the last row of the schema": {
    before: "CREATE TABLE IF NOT EXISTS x(a);",
    tables: 100,
    after: "DROP TABLE x; VACUUM;",
  },
  "in UTF-16": { before: "PRAGMA encoding = 'UTF-16le';", tables: 3 },
  "in UTF-16 of the other order": { before: "PRAGMA encoding = 'UTF-16be';", tables: 3 },
  "in WAL mode": { before: "PRAGMA journal_mode = WAL;", tables: 3 },
  "whose log is empty": {
    before: "",
    tables: 0,
    after: "DELETE FROM _rqlite_commit; DELETE FROM sqlite_sequence;",
  },
  "that can shrink": { before: "PRAGMA auto_vacuum = FULL; VACUUM;", tables: 30 },
};

describe("load() of a file", () => {
  for (const [name, { before, tables, after = "" }] of Object.entries(FORMS)) {
    it(`${name} keeps late copies out`, async () => {
      const place = open();
      const { db, sendAgain } = place;
      const text = await history(place, tables);
      const file = databaseFile(before + text + after);
      await db.load(file);
      await sendAgain();
      assert.deepEqual((await db.query("SELECT body FROM notes")).rows, [{ body: "kept" }]);
      await db.execute("INSERT INTO notes(body) VALUES('new')");
      assert.equal(await db.value("SELECT count(*) FROM notes"), 2);
      assert.deepEqual((await db.query("PRAGMA integrity_check")).rows, [
        { integrity_check: "ok" },
      ]);
      await db.close();
    });
  }

  it("ends where the schema of a damaged one has no end", async () => {
    const { db } = open();
    const columns = Array.from({ length: 60 }, (_, i) => `some_column_${i} TEXT`);
    const file = databaseFile(`PRAGMA page_size = 512; CREATE TABLE wide(${columns.join()});`);
    const view = new DataView(file.buffer);
    const row = view.getUint16(108);
    // It is long from now on, and the page with its rest follows on itself.
    file.set([0xff, 0xff, 0xff, 0x7f, 1], row);
    const least = Math.floor((512 - 12) * 32 / 255) - 23;
    const some = least + (2 ** 28 - 1 - least) % (512 - 4);
    view.setUint32(row + 5 + (some <= 512 - 35 ? some : least), 2);
    view.setUint32(512, 2);
    await assert.rejects(db.load(file), DataError);
    await db.close();
  });
});
