// Writes that are counted, so that one that is applied twice or not at all is seen.
import assert from "node:assert/strict";
import { type Client, OutcomeUnknownError, RqliteError } from "../../mod.ts";

/** Nothing in the tables refuses a second application: it would be counted. */
export const SCHEMA = [
  "DROP TABLE IF EXISTS _rqlite_commit",
  "DROP TABLE IF EXISTS hits",
  "DROP TABLE IF EXISTS counter",
  "CREATE TABLE hits(label TEXT)",
  "CREATE TABLE counter(n INTEGER)",
  "INSERT INTO counter VALUES(0)",
];

/** It is counted among the hits. */
export const INSERT = "INSERT INTO hits VALUES(?)";
/** It is counted in the counter. */
export const RAISE = "UPDATE counter SET n = n + 1";

/** A way to write, and what it adds. */
export interface Write {
  readonly run: (db: Client, label: string) => Promise<unknown>;
  readonly hits: number;
  readonly raised: number;
  /** It answers rows, which may be lost although it was applied. */
  readonly answersRows?: true;
}

/** The ways to write, by what they are called. */
export const WRITES: Record<string, Write> = {
  "execute() of an INSERT": { run: (db, label) => db.execute(INSERT, [label]), hits: 1, raised: 0 },
  "execute() of an UPDATE": { run: (db) => db.execute(RAISE), hits: 0, raised: 1 },
  "execute() with RETURNING": {
    run: async (db, label) => {
      const { rows } = await db.execute(`${INSERT} RETURNING label`, [label]);
      assert.deepEqual(rows, [{ label }]);
    },
    hits: 1,
    raised: 0,
    answersRows: true,
  },
  "batch()": {
    run: (db, label) => db.batch([[INSERT, label], RAISE, [INSERT, label]]),
    hits: 2,
    raised: 1,
  },
  "batch() with a read": {
    run: (db, label) => db.batch([[INSERT, label], "SELECT n FROM counter", RAISE]),
    hits: 1,
    raised: 1,
    answersRows: true,
  },
  "transaction()": {
    run: (db, label) => db.transaction((tx) => tx.execute(INSERT, [label])),
    hits: 1,
    raised: 0,
  },
};

/** Rows, or an error that says that it was applied; everything else resolves. */
export async function applied(
  { run, answersRows }: Write,
  db: Client,
  label: string,
): Promise<void> {
  try {
    await run(db, label);
  } catch (error) {
    assert.ok(error instanceof RqliteError, String(error));
    assert.ok(
      answersRows && !(error instanceof OutcomeUnknownError),
      `${error.name}: ${error.message}`,
    );
    assert.match(error.message, /applied|committed/);
    assert.equal(error.retryable, false);
  }
}

/** How often something was inserted, and the counter raised. */
export const COUNTS = "SELECT (SELECT count(*) FROM hits), (SELECT n FROM counter)";
