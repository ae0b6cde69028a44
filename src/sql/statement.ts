import { type Bindable, described, isRecord } from "./bindable.ts";
import { isFragment, type SqlFragment } from "./fragment.ts";
import { bytesOf } from "./quoting.ts";
import type { NamedParams, Param, Params, Result } from "./value.ts";

/**
 * One statement of a batch. The tuple is rqlite's own form: `["… ? …", 1, 2]` or `["… :a …", { a: 1 }]`. The last form is
 * what TypeScript takes such a tuple for where `map` makes it; it has to begin with the text, too.
 *
 * @example
 * ```ts
 * import { sql, type Statement } from "@tangled/rqlite";
 * const statements: Statement[] = [
 *   "DELETE FROM people",
 *   ["INSERT INTO people(name, born) VALUES (?, ?)", "Ada", 1815],
 *   { sql: "UPDATE people SET born = :born", params: { born: 1816 } },
 *   sql`SELECT * FROM people WHERE born > ${1800}`,
 * ];
 * ```
 */
export type Statement =
  | string
  | SqlFragment
  | {
    /** The text. */
    readonly sql: string;
    /** The values. */
    readonly params?: Params | undefined;
  }
  | readonly [sql: string, ...params: Param[]]
  | readonly [sql: string, params: Readonly<Record<string, Param>> | NamedParams]
  | readonly (Param | Readonly<Record<string, Param>> | NamedParams)[];

/** What the statements of a batch answer: a tuple where they are one. */
export type Results<Statements extends readonly Statement[]> = {
  -readonly [I in keyof Statements]: Result;
};

/** SQL text and its values, not yet looked at. */
export interface SqlAndParams {
  /** The text. */
  readonly sql: string;
  /** The values; undefined is the same as none. */
  readonly params: Params | undefined;
}

/**
 * Takes a statement of any form apart.
 *
 * @throws {TypeError} If it has none of the forms.
 */
export function sqlAndParams(statement: Statement): SqlAndParams {
  if (typeof statement === "string") return { sql: statement, params: undefined };
  if (isTuple(statement)) return tupleForm(statement);
  if (typeof statement !== "object" || statement === null || typeof statement.sql !== "string") {
    throw new TypeError(
      `Cannot read ${
        described(statement)
      } as a statement: give SQL text, { sql, params } or [sql, ...params]`,
    );
  }
  const { sql, params } = statement;
  const other = params === undefined
    ? Object.keys(statement).find((key) => key !== "sql" && key !== "params")
    : undefined;
  if (other === undefined) return { sql, params };
  throw new TypeError(
    `Cannot read a statement with \`${other}\`: its text is named \`sql\`, its values \`params\``,
  );
}

/** Marks a statement whose values were checked and copied when they were put together. */
const BOUND = Symbol("bound");

/** A statement of this package's own making: many values that need not be looked at once more. */
export interface BoundStatement {
  /** The text, with a `?` for each value and no other placeholder. */
  readonly sql: string;
  /** As many as it has placeholders; nobody changes them. */
  readonly params: Bindable[];
  /** Its mark. */
  readonly [BOUND]: true;
}

/** Puts a {@linkcode BoundStatement} together. */
export function boundStatement(sql: string, params: Bindable[]): BoundStatement {
  return { sql, params, [BOUND]: true };
}

/** Whether a statement is a {@linkcode BoundStatement}. */
export function isBound(statement: Statement | BoundStatement): statement is BoundStatement {
  return typeof statement === "object" && statement !== null && BOUND in statement;
}

/**
 * The statements of a batch.
 *
 * @throws {TypeError} If they are no list.
 */
export function statementList(statements: readonly Statement[]): readonly Statement[] {
  if (Array.isArray(statements)) return statements;
  throw new TypeError(
    `Cannot run ${
      described(statements)
    } as a batch: give a list of statements, [sql, { sql, params }]`,
  );
}

/**
 * A statement that nobody else can change any more: callers may use an array or a buffer again at once.
 *
 * @throws {TypeError} If it has none of the forms.
 */
export function copyStatement(statement: Statement): Statement {
  if (typeof statement === "string" || isBound(statement)) return statement;
  const { sql, params } = sqlAndParams(statement);
  if (params === undefined) return sql;
  if (Array.isArray(params)) return { sql, params: params.map(copyParam) };
  // What has no form of values is left for its check.
  if (!isRecord(params)) return { sql, params };
  const entries = Object.entries(params).map(([name, value]) => [name, copyParam(value)]);
  return { sql, params: Object.fromEntries(entries) };
}

function copyParam(value: Param): Param {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return bytesOf(value).slice();
  return value instanceof Date ? new Date(value) : value;
}

/**
 * Makes one statement of the two arguments of `query` and `execute`.
 *
 * @param sql SQL text or a fragment, which brings its own values.
 * @throws {TypeError} If there are values beside a fragment.
 */
export function statementOf(sql: string | SqlFragment, params: Params | undefined): Statement {
  if (params === undefined) return sql;
  if (typeof sql === "string") return { sql, params };
  // What is no statement says so itself.
  sqlAndParams(sql);
  const none = Array.isArray(params) ? params.length === 0 : false;
  if (none) return sql;
  throw new TypeError(
    "Cannot take params beside a fragment as it has its own: put them into sql`…`",
  );
}

type Tuple = Extract<Statement, readonly [sql: string, ...rest: never[]] | readonly unknown[]>;

function isTuple(statement: Statement): statement is Tuple {
  return Array.isArray(statement);
}

function tupleForm(tuple: Tuple): SqlAndParams {
  if ("raw" in tuple) {
    throw new TypeError("Cannot run a template by itself: write query(sql`…`), with sql in front");
  }
  const [sql, ...params] = tuple;
  if (typeof sql !== "string") {
    throw new TypeError(
      `Cannot read a tuple that begins with ${described(sql)}: begin with SQL text`,
    );
  }
  const [first] = params;
  if (params.length === 1 && isRecord(first) && !isFragment(first)) return { sql, params: first };
  if (params.length === 1 && Array.isArray(first)) {
    throw new TypeError(
      "Cannot read a tuple that holds its values as a list: spread it, [sql, ...params]; for IN (…) use sql.list()",
    );
  }
  return { sql, params: params as Param[] };
}
