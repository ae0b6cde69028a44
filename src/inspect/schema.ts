/** What a database holds. */
export interface Schema {
  /** Its tables, by name. */
  readonly tables: readonly Table[];
  /** Its views, by name. */
  readonly views: readonly View[];
}

/** A column of a table or view. */
export interface Column {
  /** Its name. */
  readonly name: string;
  /** Its declared type as SQLite gives it, such as `INTEGER` or `varchar(50)`; "" if there is none. */
  readonly type: string;
  /** Whether it may be NULL. */
  readonly nullable: boolean;
  /** Whether it is declared NOT NULL, be it by its place in a key. A rowid need not be, and still is never NULL. */
  readonly notNull: boolean;
  /** Its default as SQL, such as `'new'` or `CURRENT_TIMESTAMP`. */
  readonly default: string | undefined;
  /** Its place in the primary key from 1 on; 0 if it is not a part of it. */
  readonly primaryKey: number;
  /** How it is computed, if it is. */
  readonly generated: "virtual" | "stored" | undefined;
  /** Whether `SELECT *` leaves it out, as virtual tables have it. */
  readonly hidden: boolean;
}

/** A primary key. */
export interface PrimaryKey {
  /** The name of the constraint, if it was given one. */
  readonly name: string | undefined;
  /** Its columns, in its order. */
  readonly columns: readonly string[];
  /** Whether it is the rowid, so that SQLite chooses a value where none is given. */
  readonly rowid: boolean;
  /** Whether rowids are never used again (AUTOINCREMENT). */
  readonly autoincrement: boolean;
}

/** What happens to a row when the one that it refers to changes. */
export type ForeignKeyAction = "NO ACTION" | "RESTRICT" | "SET NULL" | "SET DEFAULT" | "CASCADE";

/**
 * A foreign key.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { inspect } from "@tangled/rqlite/inspect";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE artists(id INTEGER PRIMARY KEY)");
 * await db.execute("CREATE TABLE albums(artist INTEGER REFERENCES artists ON DELETE CASCADE)");
 * const { tables: [albums] } = await inspect(db);
 * const [key] = albums?.foreignKeys ?? [];
 * console.log(key?.columns, key?.table, key?.references); // [ "artist" ] artists [ "id" ]
 * console.log(key?.onDelete, key?.onUpdate); // CASCADE NO ACTION
 * await db.close();
 * ```
 */
export interface ForeignKey {
  /** The name of the constraint, if it was given one. */
  readonly name: string | undefined;
  /** The columns that refer, in order. */
  readonly columns: readonly string[];
  /** The table referred to. */
  readonly table: string;
  /** Its columns, one for each of `columns`; its primary key where the constraint names none. */
  readonly references: readonly string[];
  /** When the row referred to gets another key. */
  readonly onUpdate: ForeignKeyAction;
  /** When the row referred to is deleted. */
  readonly onDelete: ForeignKeyAction;
}

/** A unique constraint of a table; for indexes made by CREATE UNIQUE INDEX see {@linkcode Index}. */
export interface Unique {
  /** The name of the constraint, if it was given one. */
  readonly name: string | undefined;
  /** Its columns, in order. */
  readonly columns: readonly string[];
}

/** A check constraint, of a column or the table. */
export interface Check {
  /** The name of the constraint, if it was given one. */
  readonly name: string | undefined;
  /** The condition as it was written, without the parentheses. */
  readonly expression: string;
}

/** What an index orders by. */
export interface IndexTerm {
  /** The column; `undefined` for an expression. */
  readonly column: string | undefined;
  /** The expression as it was written; `undefined` for a column. */
  readonly expression: string | undefined;
  /** Whether it is in descending order. */
  readonly descending: boolean;
}

/**
 * An index made by CREATE INDEX.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { inspect } from "@tangled/rqlite/inspect";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE users(name TEXT, left_at TEXT)");
 * await db.execute("CREATE UNIQUE INDEX present ON users(lower(name)) WHERE left_at IS NULL");
 * const { tables: [users] } = await inspect(db);
 * const [index] = users?.indexes ?? [];
 * console.log(index?.unique, index?.where); // true left_at IS NULL
 * console.log(index?.terms); // [ { column: undefined, expression: "lower(name)", descending: false } ]
 * await db.close();
 * ```
 */
export interface Index {
  /** Its name. */
  readonly name: string;
  /** Whether it refuses equal rows. */
  readonly unique: boolean;
  /** What it orders by. */
  readonly terms: readonly IndexTerm[];
  /** The condition of a partial index as it was written. */
  readonly where: string | undefined;
}

/** A table. */
export interface Table {
  /** Its name. */
  readonly name: string;
  /** Its columns, in order. */
  readonly columns: readonly Column[];
  /** Its primary key, if it declares one. */
  readonly primaryKey: PrimaryKey | undefined;
  /** Its foreign keys, in the order of their declaration. */
  readonly foreignKeys: readonly ForeignKey[];
  /** Its unique constraints, in the order of their declaration. */
  readonly uniques: readonly Unique[];
  /** Its check constraints, in the order of their declaration. */
  readonly checks: readonly Check[];
  /** Its indexes, by name. */
  readonly indexes: readonly Index[];
  /** Whether it is STRICT. */
  readonly strict: boolean;
  /** Whether it is WITHOUT ROWID. */
  readonly withoutRowid: boolean;
  /** Whether a module such as fts5 keeps it. */
  readonly virtual: boolean;
  /** The statement that made it. */
  readonly sql: string;
}

/**
 * A view.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { inspect } from "@tangled/rqlite/inspect";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
 * await db.execute("CREATE VIEW names AS SELECT name FROM users");
 * const { views: [names] } = await inspect(db);
 * console.log(names?.columns.map(({ name, type }) => `${name} ${type}`)); // [ "name TEXT" ]
 * await db.close();
 * ```
 */
export interface View {
  /** Its name. */
  readonly name: string;
  /** Its columns, in order; none if it reads what is not there any more. */
  readonly columns: readonly Column[];
  /** The statement that made it. */
  readonly sql: string;
}
