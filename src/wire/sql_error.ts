import {
  DatabaseError,
  type DatabaseErrorInit,
  DataError,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../errors.ts";
import { constraintOf } from "./constraint.ts";
import { locate } from "./locate.ts";
import { type ErrorKind, SQL_ERRORS } from "./sql_errors.ts";

/**
 * The error for the text that the server gave for a statement: rqlite passes on SQLite's message and nothing else.
 * The message begins with that text; where it names a token or a name of the statement, it goes on with its place there.
 *
 * A trigger's RAISE says anything it likes, so a text that SQLite itself does not use is taken for a trigger's if
 * `where.sql` is a statement that can fire one, and stays a plain `DatabaseError` otherwise.
 *
 * @param text The `error` member of a result.
 * @param where What the error should carry.
 *
 * @example
 * ```ts
 * import { statementError } from "./sql_error.ts";
 *
 * statementError("UNIQUE constraint failed: users.name", { sql: "INSERT INTO users ..." });
 * // IntegrityError { constraint: "unique", table: "users", columns: ["name"], code: "SQLITE_CONSTRAINT_UNIQUE" }
 * ```
 */
export function statementError(text: string, where: DatabaseErrorInit): DatabaseError {
  const { position, words = "" } = locate(text, where.sql) ?? {};
  const init = position === undefined ? where : { ...where, position };
  const constraint = constraintOf(text);
  if (constraint !== undefined) return new IntegrityError(text, { ...init, ...constraint });
  const known = SQL_ERRORS.find(([pattern]) => pattern.test(text));
  if (known !== undefined) {
    const [, kind, code, advice] = known;
    const message = text + (advice === undefined ? words : `: ${advice}`);
    return new CLASSES[kind](message, { ...init, ...(code !== undefined && { code }) });
  }
  if (!firesTriggers(init.sql)) return new DatabaseError(text, init);
  return new IntegrityError(text, {
    ...init,
    constraint: "trigger",
    code: "SQLITE_CONSTRAINT_TRIGGER",
  });
}

const CLASSES: Record<ErrorKind, new (message: string, init: DatabaseErrorInit) => DatabaseError> =
  {
    programming: ProgrammingError,
    unsupported: NotSupportedError,
    data: DataError,
    operational: OperationalError,
    timeout: TimeoutError,
    unknown: OutcomeUnknownError,
  };

/** Blanks and comments, then the keyword of a statement that changes rows. */
const WRITE =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?(?:\*\/|$)|;)*(?:INSERT|REPLACE|UPDATE|DELETE|WITH)\b/i;

function firesTriggers(sql: string | undefined): boolean {
  return sql !== undefined && WRITE.test(sql);
}
