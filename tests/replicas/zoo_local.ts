// Schemas in which a node computes something for itself: clocks, chance, time zones, rowids.
import { type Animal, insertAndRead, note, one, readAndNote, writesAndRead } from "./programs.ts";

const ISO = "strftime('%Y-%m-%dT%H:%M:%fZ','now')";

/** Tables whose defaults, triggers and views have a clock or chance in them. */
export const LOCAL: readonly Animal[] = [
  {
    name: "notes with DEFAULT CURRENT_TIMESTAMP",
    tables: ["notes"],
    create: [
      "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP)",
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO notes(body) VALUES(?)",
        "SELECT * FROM notes WHERE body = ?",
      ),
      "inserts with RETURNING": async (ops, key) => {
        const [row] = await ops.run("INSERT INTO notes(body) VALUES(?) RETURNING *", key);
        await note(ops, key, row);
      },
      "reads max(created_at) and writes elsewhere": readAndNote(
        "SELECT max(created_at) AS newest, count(*) AS n FROM notes",
      ),
      "turns a page": readAndNote("SELECT * FROM notes ORDER BY created_at DESC, id DESC LIMIT 3"),
      "updates and selects everything": writesAndRead(
        ["UPDATE notes SET body = body || ? WHERE id = 1"],
        "SELECT * FROM notes",
      ),
    },
  },
  {
    name: "users with a random id",
    tables: ["u"],
    create: [
      "CREATE TABLE u(id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), email TEXT UNIQUE)",
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO u(email) VALUES(?)",
        "SELECT id, email FROM u WHERE email = ?",
      ),
      "inserts with RETURNING and refers to it": async (ops, key) => {
        const [row] = await ops.run("INSERT INTO u(email) VALUES(?) RETURNING id", key);
        await note(ops, key, await one(ops, "SELECT * FROM u WHERE id = ?", String(row!["id"])));
      },
      "upserts": async (ops, key) => {
        const upsert = "INSERT INTO u(email) VALUES('shared') ON CONFLICT(email) DO UPDATE " +
          "SET email = excluded.email RETURNING id";
        await note(ops, key, await ops.run(upsert));
      },
      "turns a page by id": readAndNote("SELECT * FROM u ORDER BY id LIMIT 2"),
    },
  },
  {
    name: "stamps of every kind",
    tables: ["stamps"],
    create: [
      `CREATE TABLE stamps(id INTEGER PRIMARY KEY, k TEXT UNIQUE, n INTEGER NOT NULL DEFAULT 0,
        iso TEXT NOT NULL DEFAULT (${ISO}), epoch INTEGER DEFAULT (unixepoch()),
        julian REAL DEFAULT (julianday('now')), chance INTEGER DEFAULT (random()))`,
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO stamps(k) VALUES(?)",
        "SELECT * FROM stamps WHERE k = ?",
      ),
      "inserts two rows and reads them back": async (ops, key) => {
        await ops.run("INSERT INTO stamps(k) VALUES(?), (?)", `${key} a`, `${key} b`);
        await note(ops, key, await ops.all("SELECT * FROM stamps WHERE k LIKE ? || '%'", key));
      },
      "upserts and reads back": writesAndRead(
        ["INSERT INTO stamps(k) VALUES('x' || ?) ON CONFLICT(k) DO UPDATE SET n = n + 1"],
        "SELECT k, n, iso FROM stamps ORDER BY id DESC LIMIT 2",
      ),
      "groups by day": readAndNote(
        "SELECT date(julian) AS day, count(*) AS n, max(epoch) AS newest FROM stamps GROUP BY 1",
      ),
    },
  },
  {
    name: "items whose trigger sets updated_at",
    tables: ["items"],
    create: [
      "CREATE TABLE items(id INTEGER PRIMARY KEY, body TEXT, updated_at TEXT)",
      `CREATE TRIGGER items_touch AFTER UPDATE OF body ON items
        BEGIN UPDATE items SET updated_at = ${ISO} WHERE id = new.id; END`,
      "INSERT INTO items(body) VALUES('a'), ('b'), ('c')",
    ],
    except: { items: ["updated_at"] },
    programs: {
      "updates and selects everything": writesAndRead(
        ["UPDATE items SET body = ? WHERE id = 1"],
        "SELECT * FROM items",
      ),
      "updates with RETURNING": async (ops, key) => {
        const rows = await ops.run(
          "UPDATE items SET body = ? WHERE id < 3 RETURNING id, body",
          key,
        );
        await note(ops, key, rows);
      },
      "reads the newest and writes elsewhere": readAndNote(
        "SELECT id, body FROM items ORDER BY updated_at DESC, id LIMIT 1",
      ),
      "reads, and updates what it read": async (ops, key) => {
        const row = await one(ops, "SELECT * FROM items WHERE id = 2");
        await ops.run("UPDATE items SET body = ? WHERE id = ?", key, Number(row["id"]));
      },
    },
  },
  {
    name: "orders whose triggers keep a log with a clock",
    tables: ["orders", "audit"],
    create: [
      "CREATE TABLE orders(id INTEGER PRIMARY KEY, state TEXT)",
      "CREATE TABLE audit(id INTEGER PRIMARY KEY, what TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP, fine REAL)",
      `CREATE TRIGGER orders_new AFTER INSERT ON orders
        BEGIN INSERT INTO audit(what, fine) VALUES('new ' || new.state, julianday('now')); END`,
      `CREATE TRIGGER orders_gone AFTER DELETE ON orders
        BEGIN INSERT INTO audit(what, fine) VALUES('gone ' || old.state, julianday('now')); END`,
    ],
    except: { audit: ["at", "fine"] },
    programs: {
      "inserts and reads the log back": writesAndRead(
        ["INSERT INTO orders(state) VALUES(?)"],
        "SELECT * FROM audit ORDER BY id DESC LIMIT 2",
      ),
      "deletes what it inserted": async (ops, key) => {
        await ops.run("INSERT INTO orders(state) VALUES(?)", key);
        await ops.run("DELETE FROM orders WHERE state = ?", key);
        await note(ops, key, await ops.all("SELECT count(*) AS n FROM audit"));
      },
      "reads the newest of the log and writes elsewhere": readAndNote(
        "SELECT max(at) AS newest, max(fine) AS fine FROM audit",
      ),
    },
  },
  {
    name: "posts behind views with a clock",
    tables: ["posts"],
    create: [
      `CREATE TABLE posts(id INTEGER PRIMARY KEY, body TEXT, created_at TEXT DEFAULT (${ISO}))`,
      "CREATE VIEW asked AS SELECT id, body, datetime('now') AS asked_at FROM posts",
      "CREATE VIEW recent AS SELECT * FROM posts WHERE created_at > datetime('now', '-1 hour')",
      "CREATE VIEW days(day, n) AS SELECT date(created_at), count(*) FROM posts GROUP BY 1",
    ],
    programs: {
      "inserts and reads back through a view": insertAndRead(
        "INSERT INTO posts(body) VALUES(?)",
        "SELECT * FROM recent WHERE body = ?",
      ),
      "reads a view with a clock and writes elsewhere": readAndNote(
        "SELECT * FROM asked ORDER BY id DESC LIMIT 2",
      ),
      "reads a view over a clock's column and writes elsewhere": readAndNote("SELECT * FROM days"),
    },
  },
  {
    name: "visits in the nodes' own time zones",
    tables: ["visits"],
    create: [
      "CREATE TABLE visits(id INTEGER PRIMARY KEY, who TEXT, utc TEXT DEFAULT CURRENT_TIMESTAMP)",
      "CREATE VIEW clocks AS SELECT id, datetime(utc, 'localtime') AS here FROM visits",
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO visits(who) VALUES(?)",
        "SELECT * FROM visits WHERE who = ?",
      ),
      "reads the local time and writes elsewhere": readAndNote(
        "SELECT id, datetime(utc, 'localtime') AS here FROM visits ORDER BY id DESC LIMIT 2",
      ),
      "reads the local time of a view and writes elsewhere": readAndNote(
        "SELECT * FROM clocks ORDER BY id DESC LIMIT 2",
      ),
    },
  },
  {
    name: "lines without INTEGER PRIMARY KEY, under VACUUM",
    tables: ["lines"],
    create: ["CREATE TABLE lines(line TEXT, n INTEGER DEFAULT 0)"],
    programs: {
      "inserts and reads back, with its rowid": insertAndRead(
        "INSERT INTO lines(line) VALUES(?)",
        "SELECT rowid, * FROM lines WHERE line = ?",
      ),
      "leaves a gap": async (ops, key) => {
        await ops.run("INSERT INTO lines(line) VALUES(?), (?)", key, `${key} gap`);
        await ops.run("DELETE FROM lines WHERE line = ?", `${key} gap`);
        await note(ops, key, await ops.all("SELECT count(*) AS n FROM lines"));
      },
      "reads the last by rowid and updates it": async (ops, key) => {
        const [row] = await ops.all("SELECT line FROM lines ORDER BY rowid DESC LIMIT 1");
        await ops.run("UPDATE lines SET n = n + 1 WHERE line = ?", String(row?.["line"] ?? key));
      },
    },
  },
];

/** Rows that another program stored, so that each node has values of its own. */
export const STRANGERS: Animal = {
  name: "strangers with values that differ from node to node",
  tables: ["strangers"],
  create: [
    `CREATE TABLE strangers(id INTEGER PRIMARY KEY, body TEXT, n INTEGER DEFAULT 0,
      at TEXT DEFAULT (${ISO}), token TEXT DEFAULT (hex(randomblob(8))), chance REAL DEFAULT (random() / 3.0))`,
    "CREATE INDEX strangers_at ON strangers(at)",
    "CREATE VIEW newest AS SELECT * FROM strangers ORDER BY at DESC, id LIMIT 2",
  ],
  foreign: ["INSERT INTO strangers(body) VALUES('a'), ('b'), ('c')"],
  except: { strangers: ["at", "token", "chance"] },
  programs: {
    "selects everything and writes elsewhere": readAndNote("SELECT * FROM strangers"),
    "inserts and reads everything back": writesAndRead(
      ["INSERT INTO strangers(body) VALUES(?)"],
      "SELECT * FROM strangers",
    ),
    "updates and selects everything": writesAndRead(
      ["UPDATE strangers SET body = ? WHERE id = 1"],
      "SELECT * FROM strangers",
    ),
    "reads max(at) and writes elsewhere": readAndNote("SELECT max(at) AS newest FROM strangers"),
    "turns a page": readAndNote("SELECT * FROM strangers ORDER BY at DESC LIMIT 2"),
    "filters, groups and joins": async (ops, key) => {
      const filtered = "SELECT id FROM strangers WHERE at > '2020' AND chance > 0";
      const grouped = "SELECT substr(token, 1, 1) AS c, count(*) AS n FROM strangers GROUP BY 1";
      const joined =
        "SELECT a.id, b.token FROM strangers a JOIN strangers b ON a.chance < b.chance";
      for (const sql of [filtered, grouped, joined]) await note(ops, key, await ops.all(sql));
    },
    "reads a view and writes elsewhere": readAndNote("SELECT * FROM newest"),
    "reads JSON and writes elsewhere": readAndNote(
      "SELECT json_group_array(json_array(id, body, at, chance)) AS all_rows FROM strangers",
    ),
    "counts up a row that it read": async (ops) => {
      const { n } = await one(ops, "SELECT * FROM strangers WHERE id = 2");
      await ops.run("UPDATE strangers SET n = ? WHERE id = 2", Number(n) + 1);
    },
  },
};
