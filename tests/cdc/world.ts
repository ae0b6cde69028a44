import type { Client } from "../../mod.ts";

/** Tables of every kind that matters to a feed. */
export const SCHEMA: readonly string[] = [
  "CREATE TABLE todos(id INTEGER PRIMARY KEY, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)",
  "CREATE TABLE kinds(id INTEGER PRIMARY KEY, i INTEGER, r REAL, n NUMERIC, b BLOB, t TEXT, bare)",
  "CREATE TABLE pairs(k TEXT, v INTEGER, PRIMARY KEY(k)) WITHOUT ROWID",
  "CREATE TABLE audit(what TEXT)",
  "CREATE TABLE made(a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2))",
  "CREATE TRIGGER pairs_audit AFTER INSERT ON pairs BEGIN INSERT INTO audit VALUES(new.k); END",
];

/** Writes of every kind, by the client and past it. */
export async function writeEverything(db: Client): Promise<void> {
  await db.execute("INSERT INTO todos(title) VALUES('milk')");
  await db.execute("UPDATE todos SET done = 1");
  await db.execute("DELETE FROM todos");
  const bytes = new Uint8Array([0, 255, 16]);
  await db.batch([
    [
      "INSERT INTO kinds VALUES(1, ?, 1.0, 2.5, ?, 'text', x'01')",
      9007199254740993n,
      bytes,
    ],
    "INSERT INTO kinds VALUES(2, -9223372036854775808, 9007199254740993.0, 1e300, NULL, NULL, 3)",
    "INSERT INTO kinds VALUES(0, 1, 0.5, 1, 'not bytes', 'é <&>', 'AQ==')",
  ]);
  await db.execute("REPLACE INTO pairs VALUES('a', 1)");
  await db.execute("REPLACE INTO pairs VALUES('a', 2)");
  await db.execute("INSERT INTO made(a) VALUES(1)");
  await db.execute("INSERT INTO todos(title) VALUES('tea')");
  await db.execute("UPDATE todos SET id = 7");
  await db.transaction(async (tx) => {
    await tx.execute("CREATE TABLE fresh(a)");
    await tx.execute("INSERT INTO fresh VALUES(1)");
    await tx.execute("INSERT INTO audit VALUES('in the same transaction')");
  });
  const rolledBack = db.transaction(async (tx) => {
    await tx.execute("INSERT INTO audit VALUES('never')");
    throw new Error("changed my mind");
  });
  await rolledBack.catch(() => {});
  await db.batch(
    [
      "INSERT INTO audit VALUES('1')",
      "INSERT INTO audit VALUES('2')",
      "INSERT INTO audit VALUES('3')",
    ],
    { atomic: false, exactlyOnce: false },
  );
  await db.execute("DELETE FROM audit WHERE what = '2'");
}
