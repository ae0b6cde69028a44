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
});
