import { NotSupportedError } from "../errors.ts";
import { readPragma } from "./classify.ts";
import { isOwnTable } from "./own_tables.ts";
import { type Part, partsOf } from "./split.ts";
import type { TokenView } from "./token_view.ts";

/** The statements of a script and where they stand. */
export interface Script {
  /** What is to be run. */
  readonly statements: readonly string[];
  /** The line on which each of them begins, from 1. */
  readonly lines: readonly number[];
  /** It turns foreign keys off, as dumps do. */
  readonly unchecked: boolean;
  /** The tables that it drops, by the names that they had at first, in lower case. */
  readonly drops: ReadonlyMap<string, Part>;
}

/** Everything that BEGIN, COMMIT and END may have behind them; nothing of it matters to what is one unit anyway. */
const TRANSACTION = ["BEGIN", "COMMIT", "END", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "TRANSACTION"];

const SCHEMA = /^sqlite_(schema|master)$/i;

const BY_HAND =
  "it would write the schema by hand, as a dump does for virtual tables: load() a backup in binary form instead";

/** What a virtual table keeps its rows in, by its module: one table of each kind, behind its name. */
const SHADOWS: ReadonlyMap<string, string> = new Map([
  ["fts3", "_segdir"],
  ["fts4", "_segdir"],
  ["fts5", "_data"],
  ["rtree", "_node"],
  ["rtree_i32", "_node"],
  ["geopoly", "_node"],
]);

/**
 * The longest script, in characters. Servers take more, but every node holds a request in memory as one entry of its log,
 * several times over, and the others wait for it.
 */
const LONGEST = 2 ** 26;

/**
 * Reads a script.
 *
 * @throws {ProgrammingError} If it cannot be cut into statements.
 * @throws {NotSupportedError} If a statement cannot be part of a unit, or a dump holds what only a file can carry.
 */
export function readScript(text: string): Script {
  if (typeof text === "string" && text.length > LONGEST) throw tooLong(text.length);
  const reader = new Reader();
  for (const part of partsOf(text)) reader.read(part);
  return reader;
}

class Reader implements Script {
  readonly statements: string[] = [];
  readonly lines: number[] = [];
  unchecked = false;
  readonly drops: Map<string, Part> = new Map();
  /** What tables were called at first, by the names that they were given. */
  readonly #renamed = new Map<string, string>();
  /** Tables that a dump must not make, in lower case. */
  readonly #shadows = new Set<string>();

  read(part: Part): void {
    const { view } = part;
    const { kind, verb } = part.verb;
    if (kind === "control" || verb === "VACUUM") return this.#control(part, view);
    if (kind === "pragma" && this.#pragma(part, view)) return;
    if (this.unchecked && this.#isOwn(view)) return;
    if (verb === "CREATE") this.#create(part, view);
    if (view.isWord(1, "INTO") && SCHEMA.test(view.name(2))) throw refused(part, BY_HAND);
    this.#follow(part, view);
    this.lines.push(part.line);
    this.statements.push(part.sql);
  }

  /** Keeps what tells whether a table may be dropped while keys are checked. */
  #follow(part: Part, view: TokenView): void {
    const name = (i: number): string => view.name(view.is(i + 1, ".") ? i + 2 : i).toLowerCase();
    const first = (table: string): string => this.#renamed.get(table) ?? table;
    if (view.isWord(0, "DROP") && view.isWord(1, "TABLE")) {
      this.drops.set(first(name(view.isWord(2, "IF") ? 4 : 2)), part);
    } else if (view.isWord(view.tokens.length - 2, "TO")) {
      this.#renamed.set(name(view.tokens.length - 1), first(name(2)));
    }
  }

  #control(part: Part, view: TokenView): void {
    const { verb } = part.verb;
    const begins = verb === "BEGIN" || verb === "COMMIT" || verb === "END";
    if (begins && view.tokens.every((_, i) => view.isOneOf(i, TRANSACTION))) return;
    const why = verb === "VACUUM"
      ? "VACUUM cannot be part of one: run it by itself, with execute()"
      : `${verb} would end or divide it: leave it out, or use transaction()`;
    throw refused(part, `a script is one transaction, and ${why}`);
  }

  /** Whether the PRAGMA is left out. */
  #pragma(part: Part, view: TokenView): boolean {
    const pragma = readPragma(view);
    if (pragma?.name === "writable_schema") throw refused(part, BY_HAND);
    const keys = pragma?.name === "foreign_keys" && pragma.writes;
    this.unchecked ||= keys;
    return keys;
  }

  /** What a dump holds of the tables that clients keep for themselves; the database has its own. */
  #isOwn(view: TokenView): boolean {
    if (view.isWord(0, "CREATE") && view.isWord(1, "TABLE")) return isOwnTable(view.name(2));
    if (!view.isWord(0, "INSERT") || !view.isWord(1, "INTO")) return false;
    const keeps = /^sqlite_(sequence|stat\d)$/i.test(view.name(2)) && view.isWord(3, "VALUES");
    return isOwnTable(view.name(keeps ? 5 : 2));
  }

  #create(part: Part, view: TokenView): void {
    if (view.isWord(1, "VIRTUAL") && view.isWord(4, "USING")) {
      const shadow = SHADOWS.get(view.name(5).toLowerCase());
      if (shadow !== undefined) this.#shadows.add(view.name(3).toLowerCase() + shadow);
    } else if (view.isWord(1, "TABLE") && this.#shadows.has(view.name(2).toLowerCase())) {
      throw refused(
        part,
        "the virtual table makes this table by itself, and a dump has not all that it needs to restore one: " +
          "load() a backup in binary form instead",
      );
    }
  }
}

function tooLong(length: number): NotSupportedError {
  return new NotSupportedError(
    `Cannot run a script of ${length} characters as it is one request, with at most ${LONGEST}: ` +
      "divide it, or load() a backup in binary form instead",
  );
}

/** The error where a statement cannot be part of a script. */
export function refused({ sql, line }: Part, why: string): NotSupportedError {
  return new NotSupportedError(`Cannot run the script as ${why} (${placeOf(line, sql)})`, { sql });
}

/** Where a statement stands, and how it begins. */
export function placeOf(line: number, sql: string): string {
  const start = sql.slice(0, 40).replace(/\s+/g, " ");
  return `line ${line}: ${start}${sql.length > 40 ? "…" : ""}`;
}
