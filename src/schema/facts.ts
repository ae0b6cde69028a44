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
  readonly uniques: readonly (readonly string[])[];
  /** The sets of columns that are unique together unless one is NULL, in lower case; those of `uniques` among them. */
  readonly lookups: readonly (readonly string[])[];
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

/** Whether all that a statement has to do with is the same in two schemas; what else changed does not matter to it. */
export function sameTables(sql: string, before: Facts, after: Facts): boolean {
  const view = viewOf(sql);
  if (view === undefined) return false;
  return [...namesIn(view)].every((name) => {
    const tables = [before.table(name), after.table(name)];
    if (tables[0] === undefined || tables[1] === undefined) return tables[0] === tables[1];
    const [one, other] = tables as [TableFacts, TableFacts];
    return isSame(one, other) &&
      [...one.reads, ...one.writes].every((below) => {
        const [a, b] = [before.table(below), after.table(below)];
        return a === undefined || b === undefined ? a === b : isSame(a, b);
      });
  });
}

function isSame(a: TableFacts, b: TableFacts): boolean {
  return a.sql === b.sql && a.kind === b.kind && a.rowid === b.rowid &&
    a.volatile === b.volatile && a.localUnique === b.localUnique && a.triggered === b.triggered &&
    a.keepsRows === b.keepsRows &&
    text(a.lookups) === text(b.lookups) && text([...a.local]) === text([...b.local]) &&
    text([...a.reads]) === text([...b.reads]) && text([...a.writes]) === text([...b.writes]);
}

function text(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).sort().join();
}
