import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { startCluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { MUSIC } from "./music.ts";

/** Clocks and chance wherever a file may have them: in tables that it makes, that are there, that it changes. */
const CLOCKS = `
CREATE TABLE made(id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, token TEXT DEFAULT (hex(randomblob(8))));
INSERT INTO made(id) VALUES(1), (2);
INSERT INTO made DEFAULT VALUES;
INSERT INTO known(note) SELECT 'n' || id FROM made;
ALTER TABLE made ADD COLUMN changed TEXT;
UPDATE made SET changed = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = 2;
CREATE TABLE copied AS SELECT id, datetime('now') AS at FROM made;
DROP TABLE known;
CREATE TABLE known(note TEXT, at REAL DEFAULT (julianday('now')));
INSERT INTO known(note) VALUES('again; and again');
CREATE TRIGGER stamped AFTER INSERT ON made BEGIN UPDATE made SET changed = new.at WHERE id = new.id; END;
INSERT INTO made(token) VALUES(hex(randomblob(4)));
`;

/** What is written to a table that is another one, or none, at the end: `#` is a number of the test's own. */
const CHANGES: Readonly<Record<string, string>> = {
  "renames a table that it made":
    "CREATE TABLE a#(id, r DEFAULT (hex(randomblob(8)))); INSERT INTO a#(id) VALUES(1); " +
    "ALTER TABLE a# RENAME TO b#; INSERT INTO b#(id) VALUES(2)",
  "renames a table that was there": "CREATE TABLE b#(id); INSERT INTO k#(id) VALUES(1); " +
    "ALTER TABLE K# RENAME TO k2#; INSERT INTO b# VALUES(2)",
  "drops a table behind its copy":
    "CREATE TABLE a#(id, r DEFAULT (hex(randomblob(8)))); INSERT INTO a#(id) VALUES(1); " +
    "CREATE TABLE b# AS SELECT * FROM a#; DROP TABLE a#; INSERT INTO b# VALUES(1, 2)",
  "makes a table again":
    "INSERT INTO k#(id) VALUES(1); CREATE TABLE b# AS SELECT * FROM k#; DROP TABLE k#; " +
    "CREATE TABLE k#(id, x REAL DEFAULT (random())); INSERT INTO k#(id) VALUES(2)",
  "renames a column":
    "CREATE TABLE a#(id, r DEFAULT (hex(randomblob(8)))); INSERT INTO a#(id) VALUES(1); " +
    "ALTER TABLE a# RENAME COLUMN r TO r2; INSERT INTO a#(id) VALUES(2)",
};

describe("replicas are equal behind script()", { skip: skipWithoutRqlited() }, () => {
  it("with defaults of clock and chance, also in tables that it makes", async () => {
    const cluster = await startCluster();
    const db = connect(cluster.urls);
    await db.execute("CREATE TABLE known(note TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)");
    await db.script(CLOCKS);
    await db.script(MUSIC + "*/; INSERT INTO log(line) VALUES(CURRENT_TIMESTAMP)");
    await equalReplicas(cluster);
    for (
      const rows of await rowsOfEach(cluster, "SELECT count(*) FROM made WHERE at IS NOT NULL")
    ) {
      assert.deepEqual(rows, [[4]]);
    }
    await db.close();
    await cluster.stop();
  });

  it("where it drops or alters what it has written", async () => {
    const cluster = await startCluster();
    let n = 0;
    for (const exactlyOnce of [true, false]) {
      const db = connect(cluster.urls, { exactlyOnce });
      for (const [what, script] of Object.entries(CHANGES)) {
        await db.execute(`CREATE TABLE k${++n}(id, r DEFAULT (hex(randomblob(8))))`);
        await assert.doesNotReject(db.script(script.replaceAll("#", String(n))), what);
      }
      await db.close();
    }
    await equalReplicas(cluster);
    const rows =
      "SELECT (SELECT count(*) FROM b1) + (SELECT count(*) FROM b4) + (SELECT count(*) FROM k4)";
    for (const counted of await rowsOfEach(cluster, rows)) assert.deepEqual(counted, [[4]]);
    await cluster.stop();
  });

  it("and behind a batch that goes on where a table could not be made", async () => {
    const cluster = await startCluster();
    const db = connect(cluster.urls);
    await db.execute("CREATE TABLE known(a)");
    const made = "CREATE TABLE made(id, r DEFAULT (hex(randomblob(8))))";
    const statements = ["CREATE TABLE known(a)", "INSERT INTO none VALUES(1)", made, made];
    await assert.rejects(
      db.batch([...statements, "INSERT INTO made(id) VALUES(1)"], { atomic: false }),
      { statementIndex: 0 },
    );
    await equalReplicas(cluster);
    for (const rows of await rowsOfEach(cluster, "SELECT count(r) FROM made")) {
      assert.deepEqual(rows, [[1]]);
    }
    await db.close();
    await cluster.stop();
  });
});
