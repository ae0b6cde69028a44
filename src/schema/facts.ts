import { TextCache } from "../sql/text_cache.ts";
import { namesIn, viewOf } from "./node_state.ts";

/** A column as `pragma_table_xinfo` and the text of its table tell it. */
export interface ColumnFacts {
  /** Its name as stored. */
  readonly name: string;
  /** Its declared type as SQLite gives it; "" if there is none. */
  readonly type: string;
  /** Whether it is declared NOT NULL. */
  readonly notNull: boolean;
  /** Its default as SQL, such as `'new'`, `CURRENT_TIMESTAMP` or `lower(hex(randomblob(16)))`. */
  readonly default: string | undefined;
  /** Whether its default is something that each node would evaluate for itself. */
  readonly volatileDefault: boolean;
  /** Its place in the primary key from 1 on; 0 if it is no part of it. */
  readonly key: number;
  /** A generated column; it takes no value in an INSERT. */
  readonly generated: boolean;
  /** `SELECT *` leaves it out, as virtual tables have it. */
  readonly hidden: boolean;
}

/** What decides about a write to a table besides the row that it is about; names in lower case. */
export interface Bonds {
  /** The tables and views that its triggers name; `undefined` if it has no trigger. */
  readonly triggers: ReadonlySet<string> | undefined;
  /** The tables that its foreign keys lead to. */
  readonly parents: ReadonlySet<string>;
  /** The tables whose foreign keys lead to it. */
  readonly children: ReadonlySet<string>;
  /**
   * The columns, in lower case, of what is unique besides its primary key, also among some of its rows only; `undefined`
   * if something is by an expression.
   */
  readonly uniques: readonly (readonly string[])[] | undefined;
}

/** What is known of one table or view. */
export interface TableFacts {
  /** Its name as stored. */
  readonly name: string;
  /** What it is. */
  readonly kind: "table" | "view" | "virtual";
  /** Its text in the schema. */
  readonly sql: string;
  /**
   * Its columns, in order; none where SQLite does not count them: of a view that does not compile and of some views and
   * virtual tables that come behind one.
   */
  readonly columns: readonly ColumnFacts[];
  /** The INTEGER PRIMARY KEY column, which is the rowid by another name; `undefined` if there is none. */
  readonly rowid: string | undefined;
  /** Has no rowids at all. */
  readonly withoutRowid: boolean;
  /** The columns of the primary key, in its order; empty if there is none. */
  readonly key: readonly string[];
  /** The sets of columns that are unique and NOT NULL together, the primary key among them; in lower case. */
  readonly candidateKeys: readonly (readonly string[])[];
  /** The sets of columns that are unique together unless one is NULL, in lower case; the candidate keys among them. */
  readonly uniqueSets: readonly (readonly string[])[];
  /**
   * The columns, in lower case, whose values nodes may hold differently: filled by a volatile default or by a trigger
   * that uses clock, chance or connection state, also through other tables. All columns, the key among them, where even
   * the rows may differ; "*" where the columns are not known.
   */
  readonly local: ReadonlySet<string>;
  /** Whether rows of one node may be in the way of a write where those of another are not, by something unique. */
  readonly localUnique: boolean;
  /** A view that reads a clock, chance or connection state by itself, or through views below it. */
  readonly volatile: boolean;
  /** The tables, in lower case, that a view reads, those of views below it included; the table itself otherwise. */
  readonly reads: ReadonlySet<string>;
  /**
   * The tables, in lower case, that a write to this one may write: itself, the targets of its triggers and of its
   * foreign keys' actions, and theirs; "*" among them where that cannot be told.
   */
  readonly writes: ReadonlySet<string>;
  /**
   * The tables and views, in lower case, that decide about a write to it by a trigger that runs in front of it or may keep
   * it from writing a row; `undefined` if there is no such trigger.
   */
  readonly interposed: ReadonlySet<string> | undefined;
  /** Whether it has a CHECK that each node would evaluate for itself, so that one may refuse what another takes. */
  readonly volatileCheck: boolean;
  /** Whether a write to it may fail and keep the rows in front of the failing one: ON CONFLICT FAIL, RAISE(FAIL). */
  readonly keepsRows: boolean;
  /** Whether a trigger may change a row of it after it was written. */
  readonly triggered: boolean;
  /** What decides about a write to it. */
  readonly bonds: Bonds;
}

/** What is known of a schema; one value, never changed. */
export interface Facts {
  /** What the schema was known by when it was read, see `SCHEMA_VERSION`. */
  readonly version: string;
  /** The table or view of a name, in any case and without quotes. */
  table(name: string): TableFacts | undefined;
}

/** Whether nodes may have other rows in a table, and not only other values in some columns. */
export function hasLocalRows({ local, columns }: TableFacts): boolean {
  const all = columns.length > 0 && columns.every(({ name }) => local.has(name.toLowerCase()));
  return all || local.has("*");
}

/** What an account knows that may not read the schema. */
export const NO_FACTS: Facts = { version: "", table: () => undefined };

/** A cache of texts for each schema, kept as long as the schema: what is found out under one may not hold under another. */
export class CachePerSchema<T> {
  readonly #caches: WeakMap<Facts, TextCache<T>> = new WeakMap();

  /** The cache of a schema. */
  of(facts: Facts): TextCache<T> {
    let cache = this.#caches.get(facts);
    if (cache === undefined) this.#caches.set(facts, cache = new TextCache(1000, 1_000_000));
    return cache;
  }
}

/** Whether all that a statement has to do with is the same in two schemas; what else changed does not matter to it. */
export function sameTables(sql: string, before: Facts, after: Facts): boolean {
  const view = viewOf(sql);
  if (view === undefined) return false;
  return [...namesIn(view)].every((name) => {
    const table = before.table(name);
    const below = table === undefined ? [] : [...table.reads, ...table.writes];
    return isSame(table, after.table(name)) &&
      below.every((other) => isSame(before.table(other), after.table(other)));
  });
}

function isSame(a: TableFacts | undefined, b: TableFacts | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.sql === b.sql && a.kind === b.kind && a.rowid === b.rowid &&
    a.volatile === b.volatile && a.localUnique === b.localUnique && a.triggered === b.triggered &&
    a.keepsRows === b.keepsRows && sameValues(a.uniqueSets, b.uniqueSets) &&
    sameValues(a.local, b.local) && sameValues(a.reads, b.reads) &&
    sameValues(a.writes, b.writes);
}

/** Whether two collections hold the same, in any order. */
function sameValues(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  const [one, other] = [a, b].map((values) =>
    Array.from(values, (value) => JSON.stringify(value)).sort().join()
  );
  return one === other;
}
