// Schemas in which everything is the same on every node, by what SQLite has to offer.
import assert from "node:assert/strict";
import { type Animal, insertAndRead, note, one, readAndNote, writesAndRead } from "./programs.ts";

/** Tables of all forms. */
export const SHARED: readonly Animal[] = [
  {
    name: "tickets with AUTOINCREMENT and their lines",
    tables: ["tickets", "ticket_lines"],
    create: [
      "CREATE TABLE tickets(id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT)",
      "CREATE TABLE ticket_lines(ticket INTEGER, line TEXT)",
    ],
    programs: {
      "inserts a parent and its child": async (ops, key) => {
        const [row] = await ops.run("INSERT INTO tickets(title) VALUES(?) RETURNING id", key);
        const id = Number(row!["id"]);
        await ops.run("INSERT INTO ticket_lines(ticket, line) VALUES(?, ?)", id, key);
        const joined = "SELECT * FROM tickets JOIN ticket_lines ON ticket = id WHERE title = ?";
        await note(ops, key, await one(ops, joined, key));
      },
      "deletes the last and inserts again": writesAndRead(
        [
          "DELETE FROM tickets WHERE id = (SELECT max(id) FROM tickets) AND title <> ?",
          "INSERT INTO tickets(title) VALUES(?)",
        ],
        "SELECT max(id) AS last FROM tickets",
      ),
    },
  },
  {
    name: "settings WITHOUT ROWID",
    tables: ["settings"],
    create: [
      "CREATE TABLE settings(scope TEXT, name TEXT, value TEXT, PRIMARY KEY(scope, name)) WITHOUT ROWID",
    ],
    programs: {
      "upserts and reads back": insertAndRead(
        "INSERT INTO settings VALUES('a', 'b', ?1) ON CONFLICT DO UPDATE SET value = excluded.value",
        "SELECT * FROM settings WHERE value = ?",
      ),
      "replaces and reads back": insertAndRead(
        "REPLACE INTO settings VALUES('a', 'c', ?)",
        "SELECT * FROM settings WHERE value = ?",
      ),
      "turns a page": readAndNote("SELECT * FROM settings ORDER BY scope, name LIMIT 1 OFFSET 1"),
    },
  },
  {
    name: "a STRICT table",
    tables: ["strict_values"],
    create: [
      "CREATE TABLE strict_values(id INTEGER PRIMARY KEY, t TEXT, r REAL, b BLOB, a ANY) STRICT",
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO strict_values(t, r, b, a) VALUES(?, 1, x'00ff', '7')",
        "SELECT * FROM strict_values WHERE t = ?",
      ),
      "updates and reads the sum": writesAndRead(
        ["UPDATE strict_values SET r = r * 1.1 WHERE t <> ?"],
        "SELECT sum(r) AS sum, avg(r) AS average FROM strict_values",
      ),
    },
  },
  {
    name: "teams whose members are deleted with them",
    tables: ["teams", "members"],
    create: [
      "CREATE TABLE teams(id INTEGER PRIMARY KEY, name TEXT)",
      `CREATE TABLE members(id INTEGER PRIMARY KEY, name TEXT,
        team INTEGER NOT NULL REFERENCES teams(id) ON DELETE CASCADE)`,
    ],
    programs: {
      "inserts a team and its members": async (ops, key) => {
        const [team] = await ops.run("INSERT INTO teams(name) VALUES(?) RETURNING id", key);
        const id = Number(team!["id"]);
        await ops.run("INSERT INTO members(name, team) VALUES('a', ?), ('b', ?)", id, id);
        await note(ops, key, await ops.all("SELECT * FROM members WHERE team = ?", id));
      },
      "deletes a team and looks for its members": async (ops, key) => {
        const { id } = await one(ops, "SELECT min(id) AS id FROM teams");
        await ops.run("DELETE FROM teams WHERE id = ?", Number(id));
        const left = await ops.all("SELECT * FROM members WHERE team = ?", Number(id));
        assert.deepEqual(left, []);
        await note(ops, key, left);
      },
    },
  },
  {
    name: "goods with generated columns and an index on one",
    tables: ["goods"],
    create: [
      `CREATE TABLE goods(id INTEGER PRIMARY KEY, name TEXT, price REAL, n INTEGER,
        total REAL GENERATED ALWAYS AS (price * n) STORED, label TEXT AS (upper(name)) VIRTUAL)`,
      "CREATE INDEX goods_label ON goods(label)",
    ],
    programs: {
      "inserts and reads back": insertAndRead(
        "INSERT INTO goods(name, price, n) VALUES(?, 0.1, 3)",
        "SELECT * FROM goods WHERE label = upper(?)",
      ),
      "inserts with RETURNING": async (ops, key) => {
        const insert = "INSERT INTO goods(name, price, n) VALUES(?, 9.99, 2) RETURNING *";
        await note(ops, key, await ops.run(insert, key));
      },
      "reads JSON of REALs and writes elsewhere": readAndNote(
        "SELECT json_group_array(json_array(name, price, total)) AS data FROM goods",
      ),
      "reads texts of REALs and writes elsewhere": readAndNote(
        "SELECT group_concat(total || '') AS totals, CAST(sum(total) AS TEXT) AS sum FROM goods",
      ),
    },
  },
  {
    name: "accounts with partial and unique indexes",
    tables: ["accounts"],
    create: [
      "CREATE TABLE accounts(id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE, gone INTEGER DEFAULT 0)",
      "CREATE UNIQUE INDEX accounts_email ON accounts(email) WHERE gone = 0",
      "CREATE INDEX accounts_lower ON accounts(lower(email))",
    ],
    programs: {
      "inserts or ignores": writesAndRead(
        [
          "INSERT OR IGNORE INTO accounts(email) VALUES(?)",
          "INSERT INTO accounts(email) VALUES(upper(?)) ON CONFLICT DO NOTHING",
        ],
        "SELECT count(*) AS n FROM accounts WHERE gone = 0",
      ),
      "deletes softly and inserts again": writesAndRead(
        [
          "INSERT INTO accounts(email) VALUES('soft' || ?)",
          "UPDATE accounts SET gone = 1 WHERE email = 'soft' || ?",
          "INSERT INTO accounts(email) VALUES('soft' || ?)",
        ],
        "SELECT * FROM accounts ORDER BY id DESC LIMIT 2",
      ),
    },
  },
  {
    name: "articles with a full-text index",
    tables: ["articles", "search"],
    create: [
      "CREATE TABLE articles(id INTEGER PRIMARY KEY, body TEXT)",
      "CREATE VIRTUAL TABLE search USING fts5(body, content='articles', content_rowid='id')",
      `CREATE TRIGGER articles_new AFTER INSERT ON articles
        BEGIN INSERT INTO search(rowid, body) VALUES(new.id, new.body); END`,
      `CREATE TRIGGER articles_gone AFTER DELETE ON articles
        BEGIN INSERT INTO search(search, rowid, body) VALUES('delete', old.id, old.body); END`,
    ],
    programs: {
      "inserts and searches": async (ops, key) => {
        await ops.run("INSERT INTO articles(body) VALUES('hello ' || ?)", key);
        const match =
          "SELECT rowid, body FROM search WHERE search MATCH 'hello' ORDER BY rank, rowid LIMIT 3";
        await note(ops, key, await ops.all(match));
      },
      "deletes and searches": writesAndRead(
        ["DELETE FROM articles WHERE id = (SELECT min(id) FROM articles) AND body <> ?"],
        "SELECT count(*) AS n FROM search WHERE search MATCH 'hello'",
      ),
    },
  },
  {
    name: "documents of JSON",
    tables: ["documents"],
    create: [
      "CREATE TABLE documents(id INTEGER PRIMARY KEY, data TEXT NOT NULL CHECK (json_valid(data)))",
    ],
    programs: {
      "inserts and reads a part back": insertAndRead(
        `INSERT INTO documents(data) VALUES(json_object('key', ?, 'price', 0.1 + 0.2))`,
        "SELECT data ->> 'price' AS price, data FROM documents WHERE data ->> 'key' = ?",
      ),
      "updates a part": writesAndRead(
        ["UPDATE documents SET data = json_set(data, '$.by', ?) WHERE id <= 2"],
        "SELECT json_group_array(json(data)) AS data FROM documents WHERE id <= 2",
      ),
    },
  },
];
