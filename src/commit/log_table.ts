// The log of commits as a table, and the statements about it. What its rows and its checks are for, and why a number or an
// order is as it is, says `docs/internals/commits.md`: each rule there has a history of copies that would break without it.

import type { Prepared } from "../sql/prepare.ts";
import type { Param } from "../sql/value.ts";
import { own } from "./own_statements.ts";

/** How many rows are kept; an id can be settled while fewer commits have passed since it was made. */
const KEPT_ROWS = 100_000;

/** Every base lies below the sequence plus this; beyond, a damaged one would carry the sequence away. */
const FAR = 4_294_967_295;

/** The columns that an older client's table lacks, with the checks that are theirs. */
const HASH = `hash TEXT CONSTRAINT _rqlite_commit_interfered CHECK (state <> -4)
    CONSTRAINT _rqlite_commit_reused CHECK (state <> -5)`;
const WROTE = "wrote TEXT NOT NULL DEFAULT ''";

/** What a loaded database has in place of the name `state`, so that no commit compiles: as long, as only letters may change. */
export const SEALED_STATE = "stale";

/** The table, made on first use. */
export const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _rqlite_commit(
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL
    CONSTRAINT _rqlite_commit_done CHECK (state <> -1)
    CONSTRAINT _rqlite_commit_fenced CHECK (state <> -2)
    CONSTRAINT _rqlite_commit_expired CHECK (state <> -3),
  ${HASH},
  ${WROTE})`;

/** Begins the range of `n`, behind every range that a dropped table had. */
const START = `INSERT INTO _rqlite_commit(n, id, state) SELECT ?, '0.start', 0
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '_rqlite_commit')`;

/** Where the sequence is: the base of the next ids. */
const READ_BASE = "SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'";

const SEQ = `(${READ_BASE})`;

const FLOOR = `coalesce((SELECT min(n) - 1 FROM _rqlite_commit), ${SEQ})`;

/** Not pruned; of the future it may be, as on a node whose sequence lags. */
const IN_RANGE = `?1 BETWEEN ${FLOOR} AND ${SEQ} + ${FAR}`;

/** Longer texts of tables are compared by their length, in characters: each commit carries what it compares. */
const LONGEST_TEXT = 300;

/** More names than that are tested by a list. */
const MOST_TESTS = 4;

/**
 * [base, id, hash, wrote] and what {@linkcode interfered} adds. The id comes before the interference: a late copy must
 * not meet itself.
 */
function entering(interference: string): string {
  const verdict = interference === "" ? "1" : `CASE WHEN ${interference} THEN -4 ELSE 1 END`;
  return `INSERT INTO _rqlite_commit(n, id, state, hash, wrote) VALUES (max(${SEQ}, ?1) + 1, ?2,
  CASE (SELECT CASE WHEN state = 1 AND hash IS NOT ?3 THEN 2 ELSE state END
    FROM _rqlite_commit WHERE id = ?2)
  WHEN 1 THEN -1 WHEN 0 THEN -2 WHEN 2 THEN -5
  ELSE CASE WHEN ${IN_RANGE} THEN ${verdict} ELSE -3 END END, ?3, ?4)`;
}

/** [base, id]. */
const FENCE = `INSERT INTO _rqlite_commit(n, id, state) SELECT max(${SEQ}, ?1) + 1, ?2,
  CASE WHEN EXISTS (SELECT 1 FROM _rqlite_commit WHERE id = ?2 AND state = 1) THEN -1
  WHEN ${IN_RANGE} THEN 0 ELSE -3 END
  WHERE NOT EXISTS (SELECT 1 FROM _rqlite_commit WHERE id = ?2 AND state = 0)`;

const READY = `SELECT CASE WHEN (SELECT count(*) FROM temp.pragma_table_info('_rqlite_commit')
  WHERE name IN ('state', 'hash', 'wrote')) = 3 THEN 1 ELSE abs(-9223372036854775808) END`;

/** Affects a row exactly while nothing was ever pruned. */
const TOUCH_START = "UPDATE _rqlite_commit SET state = state WHERE id = '0.start'";

/** Marks the floor, so that a row that one node lacks cannot shift it. */
const MARK_FLOOR = `INSERT INTO _rqlite_commit(n, id, state) SELECT ?1, ?1 || '.floor', 0
  WHERE ?1 > coalesce((SELECT min(n) FROM _rqlite_commit), ${SEQ}) ON CONFLICT DO NOTHING`;

const PRUNE = "DELETE FROM _rqlite_commit WHERE n < ?";

/** Brings the sequence of a node that lags up to that of the others. */
const ALIGN = `INSERT INTO _rqlite_commit(n, id, state) SELECT ?1, ?1 || '.align', 0
  WHERE ?1 > ${SEQ} ON CONFLICT DO NOTHING`;

/** In `wrote` and in scopes: the schema, or something whose tables cannot be told. It interferes with everything. */
export const EVERYTHING = "*";

/** What a commit is known by. */
export interface CommitId {
  /** The text that stands in the table. */
  readonly id: string;
  /** A value of the sequence before the id was made. */
  readonly base: number;
  /** Made by a client and not chosen by the user, so that its base stands in it. */
  readonly minted: boolean;
}

/** What enters the log in front of a commit's statements. */
export interface Entry {
  /** What the commit is known by. */
  readonly id: CommitId;
  /** Of the call as it was given, for an id that the user chose. @default {undefined} */
  readonly hash?: string | undefined;
  /** The tables that the commit writes, in lower case. @default {[]} */
  readonly wrote?: Iterable<string> | undefined;
  /**
   * The value of the sequence in the state that the commit was judged by; `undefined` for what stands on nothing.
   *
   * @default {undefined}
   */
  readonly since?: number | undefined;
  /** What nobody may have written since, besides the schema; {@linkcode EVERYTHING} is anything at all. @default {[]} */
  readonly scopes?: Iterable<string> | undefined;
  /** The tables by whose texts the statements were made. @default {[]} */
  readonly tables?: Iterable<TableText> | undefined;
}

/** A table as far as it must be the same. */
export interface TableText {
  /** As the schema has it. */
  readonly name: string;
  /** Its `CREATE TABLE`. */
  readonly sql: string;
}

/** Makes an id under a base. */
export function mint(base: number): CommitId {
  return { id: `${base}.${crypto.randomUUID()}`, base, minted: true };
}

/** Reads an id that a client made; `undefined` for one that the user chose. */
export function parseMinted(id: string): CommitId | undefined {
  const match = /^(\d{1,16})\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(id);
  return match === null ? undefined : { id, base: Number(match[1]), minted: true };
}

/** What an error calls ids of which nobody knows which took effect: the one that the user chose, or all of them. */
export function nameOf(ids: readonly CommitId[]): string {
  return ids.find(({ minted }) => !minted)?.id ?? ids.map(({ id }) => id).join();
}

/** The ids in such a name; `undefined` for one that the user chose. */
export function parseName(name: string): CommitId[] | undefined {
  const ids: CommitId[] = [];
  for (const part of name.split(",")) {
    const id = parseMinted(part);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}

/**
 * Makes the table; repeating it does nothing.
 *
 * @param seen The highest base that was seen so far.
 */
export function creation(now: number, seen = 0): Prepared[] {
  return [own(CREATE_TABLE), own(START, Math.max(now * 1024, seen + 1))];
}

/** What an administrator can run where the client's account may not create tables. */
export function creationScript(now: number): string {
  return `${CREATE_TABLE};\n${START.replace("?", String(now * 1024))};`;
}

/** Gives the table of an older client what it lacks. Each statement fails where it has run before, which is harmless. */
export function upgrade(): Prepared[] {
  return [HASH, WROTE].map((column) => own(`ALTER TABLE _rqlite_commit ADD COLUMN ${column}`));
}

/** Aligns the sequences of all nodes. @param base The leader's. */
export function align(base: number): Prepared {
  return own(ALIGN, base);
}

/** Asks for the base of new ids. */
export function readBase(): Prepared {
  return own(READ_BASE);
}

/** Enters a commit. */
export function enter(entry: Entry): Prepared {
  const { id: { id, base }, hash, wrote = [] } = entry;
  const written = [...wrote];
  const text = written.length === 0 ? "" : barred(written.join("|"));
  const params: Param[] = [base, id, hash ?? null, text];
  const interference = interfered(entry, params);
  return own(entering(interference), ...params);
}

/**
 * Whether the schema or one of the scopes was written since, or a table has another text, as after DDL of a program that
 * enters nothing here. Names stand between bars in `wrote`.
 *
 * @param params Takes what the condition is about.
 */
function interfered(
  { id: { base }, since, scopes = [], tables = [] }: Entry,
  params: Param[],
): string {
  if (since === undefined) return "";
  const bind = (value: Param): string => `?${params.push(value)}`;
  // Within its own base a commit is in range already.
  const from = since === base ? "?1" : bind(since);
  const pruned = since === base ? "" : `${from} < ${FLOOR} OR `;
  const names = Array.from(scopes, (name) => name === EVERYTHING ? "|" : barred(name));
  const wrote = names.length <= MOST_TESTS
    ? ["'|*|'", ...names.map(bind)].map((name) => `instr(wrote, ${name})`).join(" OR ")
    : `EXISTS (SELECT 1 FROM temp.json_each(${
      bind(JSON.stringify([barred(EVERYTHING), ...names]))
    }) WHERE instr(wrote, value))`;
  const written = `EXISTS (SELECT 1 FROM _rqlite_commit WHERE n > ${from} AND (${wrote}))`;
  return pruned + [written, ...otherTexts([...tables], bind)].join(" OR ");
}

function otherTexts(tables: readonly TableText[], bind: (value: Param) => string): string[] {
  const stored = (what: string, name: string): string =>
    `(SELECT ${what} FROM sqlite_schema WHERE type = 'table' AND name = ${name})`;
  if (tables.length <= MOST_TESTS) {
    return tables.map(({ name, sql }) =>
      sql.length <= LONGEST_TEXT
        ? `${stored("sql", bind(name))} IS NOT ${bind(sql)}`
        : `${stored("length(sql)", bind(name))} IS NOT ${bind(lengthOf(sql))}`
    );
  }
  const lengths = JSON.stringify(tables.map(({ name, sql }) => [name, lengthOf(sql)]));
  return [
    `EXISTS (SELECT 1 FROM temp.json_each(${bind(lengths)}) WHERE ` +
    `json_extract(value, '$[1]') IS NOT ${stored("length(sql)", "json_extract(value, '$[0]')")})`,
  ];
}

/** SQLite counts characters, and a character may be two units here. */
function lengthOf(sql: string): number {
  return [...sql].length;
}

function barred(names: string): string {
  return `|${names}|`;
}

/**
 * Fails where the log of commits is missing or that of an older client. It compiles there, too: `/db/request` goes on
 * behind a statement that does not, and would apply a write without its id.
 */
export function readiness(): Prepared {
  return own(READY);
}

/** Makes sure that an id never takes effect, if it has not yet. */
export function fence({ id, base }: CommitId): Prepared {
  return own(FENCE, base, id);
}

/** Asks for the hash that an id was entered with. */
export function readHash({ id }: CommitId): Prepared {
  return own("SELECT hash FROM _rqlite_commit WHERE id = ?", id);
}

/** Tells by `rowsAffected` whether nothing was ever pruned. */
export function touchStart(): Prepared {
  return own(TOUCH_START);
}

/** Forgets the oldest rows; any prefix may go at any moment. */
export function pruning(base: number): Prepared[] {
  const floor = Math.max(1, base - KEPT_ROWS);
  return [own(MARK_FLOOR, floor), own(PRUNE, floor)];
}
