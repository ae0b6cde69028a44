/**
 * A table of commits that came with a loaded database. It is *sealed* there (see `src/client/seal.ts`): no commit
 * compiles, so nothing that was on its way to the database before can be applied to this one. Whoever meets it first makes
 * the table anew, in a range of numbers behind all that were handed out. The ids that the file has stay known; of any other
 * it is certain that it did not take effect in what is there now, unless its row may have been pruned in the file.
 *
 * @module
 */

import type { Prepared } from "../sql/prepare.ts";
import { CREATE_TABLE } from "./log_table.ts";
import { own } from "./own_statements.ts";

/** By so much a new range lies behind what a client knows to be in use. */
const STEP = 2 ** 20;

/** By so much it lies behind what the file has, as its own cluster may have gone on since. */
const FAR_STEP = 2 ** 32;

/** How the table is called until the new one is made. */
const BEFORE = "_rqlite_before";

/** In the id of the first row of a range that began with a load: its `n` before it, the floor of the file's ids behind it. */
const MARK = ".load.";

/** Behind a load, that of the file that was loaded then still holds. An empty table has none, as all may be pruned. */
const FLOOR =
  `SELECT CASE WHEN id GLOB n || '${MARK}[0-9]*' THEN CAST(substr(id, length(n || '${MARK}') + 1) AS INTEGER)
  ELSE n - 1 END FROM ${BEFORE} ORDER BY n LIMIT 1`;

/** The other tables in which a loaded database has numbers that only grow. */
const COUNTED: readonly string[] = ["_rqlite_version", "_rqlite_lock"];

/** Asks for what has to be done. */
export function askForSeal(): Prepared {
  const names = COUNTED.map((name) => `'${name}'`).join(", ");
  return own(
    "SELECT (SELECT group_concat(name) FROM temp.pragma_table_info('_rqlite_commit')), " +
      `(SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name IN (${names}))`,
  );
}

/** What the answer to {@linkcode askForSeal} says of a table with a seal. */
export interface Sealed {
  /** The table has hashes, as that of an older client has not. */
  readonly hashed: boolean;
  /** Tables with versions. */
  readonly counted: readonly string[];
}

/** Reads the row of {@linkcode askForSeal}: "whole" if nothing has to be done, `undefined` if there is another reason. */
export function sealIn([columns, tables]: readonly unknown[]): Sealed | "whole" | undefined {
  const names = String(columns).split(",");
  if (!names.includes("stale")) return names.includes("wrote") ? "whole" : undefined;
  return {
    hashed: names.includes("hash"),
    counted: String(tables ?? "").split(",").filter(Boolean),
  };
}

/**
 * Takes the seal away, all at once: a second copy does not compile.
 *
 * @param base The highest that is known to have been handed out.
 */
export function unsealing({ hashed, counted }: Sealed, now: number, base: number): Prepared[] {
  return [
    own(`CREATE TABLE ${BEFORE}(n INTEGER PRIMARY KEY, id, state, hash)`),
    own(
      `INSERT INTO ${BEFORE} SELECT n, id, stale, ${hashed ? "hash" : "NULL"} FROM _rqlite_commit`,
    ),
    own("DROP TABLE _rqlite_commit"),
    own(CREATE_TABLE),
    own(
      `INSERT INTO _rqlite_commit(n, id, state) SELECT n, n || '${MARK}' || coalesce(floor, n), 0
  FROM (SELECT max(?, coalesce(max(n), 0) + ${FAR_STEP}) AS n, (${FLOOR}) AS floor FROM ${BEFORE})`,
      startOf(now, base),
    ),
    own(
      `INSERT INTO _rqlite_commit(n, id, state, hash)
  SELECT (SELECT max(n) FROM _rqlite_commit) + row_number() OVER (ORDER BY n), id, state, hash FROM ${BEFORE}
  ORDER BY n`,
    ),
    own(`DROP TABLE ${BEFORE}`),
    // The range grows by more than any of them does, and so they do by any number of loads of one file.
    ...counted.map((name) =>
      own(`UPDATE ${name} SET version = max(version, (SELECT min(n) FROM _rqlite_commit))`)
    ),
  ];
}

/** The table of commits for a database that came without one: nothing that was on its way is in it. */
export function beginning(now: number, base: number): Prepared[] {
  const start = startOf(now, base);
  return [
    own(CREATE_TABLE),
    own(
      `INSERT INTO _rqlite_commit(n, id, state) SELECT column1, column2, 0
  FROM (VALUES (?1, ?1 || '${MARK}0'), (?1 + 1, '0.start'))
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '_rqlite_commit')`,
      start,
    ),
  ];
}

function startOf(now: number, base: number): number {
  return Math.max(now * 1024, base + STEP);
}

/** Asks for the first row of the range. */
export function firstRow(): Prepared {
  return own("SELECT n, id FROM _rqlite_commit ORDER BY n LIMIT 1");
}

/**
 * Whether an id that is not in the table can only have taken effect in a database that is not there any more.
 *
 * @param row The {@linkcode firstRow}.
 * @param base Of the id.
 */
export function isOfBefore([n, id]: readonly unknown[], base: number): boolean {
  const mark = n + MARK;
  return String(id).startsWith(mark) && base >= Number(String(id).slice(mark.length));
}
