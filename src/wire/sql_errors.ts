import {
  DatabaseError,
  type DatabaseErrorInit,
  DataError,
  type ErrorCode,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../errors.ts";
import { constraintOf } from "./constraint.ts";
import { locate } from "./locate.ts";

/** Which class of `errors.ts` stands for a message. */
type ErrorKind =
  | "programming"
  | "unsupported"
  | "data"
  | "operational"
  | "timeout"
  | "unknown";

/** A message, its class, SQLite's code, and what to do about it. */
type SqlErrorRow = readonly [
  text: RegExp,
  kind: ErrorKind,
  code: ErrorCode | undefined,
  advice?: string,
];

/** SQLite appends what the operating system said. */
const OS = "(?:: .*)?$";

/** Something that is missing, exists already, or must not be touched. */
const OBJECTS = [
  "no such (?:table|column|function|index|trigger|view|module|database|savepoint|window|constraint)\\b",
  "no such (?:collation sequence|table column|tokenizer|cursor|rowid|fts5 table|vfs|\\S+ mode)\\b",
  "(?:table|view|index|trigger|database|virtual table) .+ (?:already exists|is already in use)$",
  "there is already (?:another|a|an) (?:table|index)\\b",
  "duplicate (?:column name|WITH table name): ",
  "ambiguous (?:column name|reference)\\b",
  "unknown (?:database|datatype|function|table option|column|join type)\\b",
  "missing datatype for ",
  "object name reserved for internal use: ",
  "table .+ may not be (?:altered|dropped|indexed|modified)$",
  "(?:view .+|views|virtual tables) may not be (?:altered|indexed)$",
  "table .+ has no column named ",
  "table .+ has (?:\\d+|more than one) (?:columns|values|primary key)\\b",
  "use DROP (?:TABLE|VIEW) to delete ",
  "cannot modify .+ because it is a view$",
  "cannot (?:INSERT into|UPDATE) generated column ",
  "cannot (?:UPSERT a view|detach database|add a STORED column|override .+ of window)",
  "cannot create (?:triggers on|trigger on|INSTEAD OF|a TEMP index|.+ trigger on view)\\b",
  "cannot drop (?:.+ column|column): ",
  "cannot drop column .+: no other columns exist$",
  "cannot open (?:value of type|virtual table|view|table|.+ column for writing)\\b",
  'cannot (?:rename|drop) \\w+ "',
  "cannot (?:join using column|use window functions|use DEFAULT on|use RETURNING in) ",
  "cannot DELETE from contentless ",
  "Cannot add a (?:column to a view|.+ column)\\b",
  "error in (?:table|view|index|trigger|generated column|tokenizer)\\b",
  "default value of column ",
  "foreign key (?:mismatch|on) ",
  "number of columns in foreign key ",
  "(?:PRIMARY KEY missing|AUTOINCREMENT|generated column|temporary (?:table|trigger)|must have at least)",
  "index associated with UNIQUE",
  "unable to identify the object to be reindexed",
  "view .+ is circularly defined",
  "parameters are not allowed in views",
];

/** What does not parse or has no meaning. */
const COMPILER = [
  'near ".*": syntax error$',
  "syntax error (?:near|after) ",
  "unrecognized token: ",
  "incomplete input$",
  "parser stack overflow$",
  "Expression tree is too large",
  "(?:hex literal too big|oversized integer): ",
  "all VALUES must have the same number of terms",
  "\\d+ (?:values for|columns assigned) ",
  "SELECTs to the left and right of ",
  "sub-select returns \\d+ columns",
  "\\d+\\w\\w (?:ORDER|GROUP) BY term ",
  "(?:ORDER BY|LIMIT|HAVING|RETURNING|FILTER|DISTINCT|RANGE|UPSERT|RAISE\\(\\)) .*(?:clause|may|without|is|must|aggregates|requires|not)\\b",
  "\\S+ clause should come after ",
  ".* (?:prohibited in|cannot use variables|may not be used as a window function)",
  "(?:a JOIN clause is required|a NATURAL join may not|aggregate functions are not allowed) ",
  "(?:misuse of|wrong number of arguments to|too many arguments on|unsafe use of|second argument to) ",
  "(?:row value misused|IN\\(\\.\\.\\.\\) element|conflicting ON CONFLICT)",
  "ON CONFLICT clause does not match ",
  "(?:circular reference|multiple references to recursive table|recursive (?:reference|aggregate))",
  "unable to use function ",
  "ESCAPE expression must be a single character",
  "unsupported (?:use of NULLS|frame specification|encoding)",
  "frame (?:starting|ending) offset must be ",
  "no (?:tables specified|query solution)",
  "(?:the (?:NOT INDEXED|INDEXED BY) clause|qualified table names) .*not allowed ",
  "(?:trigger .+ may not write to shadow table|target object/alias may not appear) ",
  "(?:triggers|VIEWs and/or subqueries) nested too deep",
  "too many (?:terms|columns|FROM clause terms|references|levels|attached databases|index)\\b",
  "(?:at most \\d+ tables in a join|more than \\d+ aggregate terms)",
  "(?:expressions|non-deterministic functions|subqueries) prohibited ",
  "non-deterministic use of ",
  "'.+' is not a function$",
  ".+ (?:RETURNING is not available on virtual tables|references tables to its right)$",
  "(?:virtual tables cannot use computed columns|Recursion limit$|vtable constructor )",
  "(?:reserved fts5 |unknown (?:tokenizer|special query): |unrecognized (?:column )?option: )",
  "(?:fts\\d: |malformed MATCH expression)",
  "SQL logic error" + OS,
];

/** What the values and the placeholders do not have in common. */
const BINDING = [
  "not enough args to execute query: ",
  'name ".*" does not begin with a letter$',
  "variable number must be between ",
  "(?:column index out of range|bad parameter or other API misuse)" + OS,
];

/** Values that a function cannot take. */
const VALUES = [
  "malformed JSON",
  "bad JSON path: ",
  "JSON (?:cannot hold BLOB values|nested too deep|path error)",
  "json_\\w+\\(\\) ",
  "integer overflow$",
  "LIKE or GLOB pattern too complex",
  "argument of (?:ntile|nth_value)",
  "invalid Unicode escape",
  "FLAGS parameter to json_valid",
  "local time unavailable",
];

function any(texts: readonly string[]): RegExp {
  return new RegExp(`^(?:${texts.join("|")})`, "s");
}

const BEGUN = "another client left a transaction open on this node with BEGIN";

/** The messages of SQLite (3.45 to 3.53), its driver and rqlite but for violated constraints; the first row that matches counts. */
const SQL_ERRORS: readonly SqlErrorRow[] = [
  [
    /^attempt to change database via query operation$/,
    "unsupported",
    "SQLITE_READONLY",
    "a read cannot run it, use execute() for statements that write",
  ],
  [
    /^attempt to write a readonly database/,
    "unsupported",
    "SQLITE_READONLY",
    "a read cannot run it, use execute() for statements that write",
  ],
  [/^not authorized/, "unsupported", "SQLITE_AUTH"],
  [/^access to .+ is prohibited$/, "unsupported", "SQLITE_AUTH"],
  [/^cannot (?:VACUUM|change .+) from within a transaction$/, "unsupported", "SQLITE_ERROR"],
  [/may not be changed inside a transaction$/, "unsupported", "SQLITE_ERROR"],
  [/^cannot start a transaction within a transaction$/, "operational", "SQLITE_ERROR", BEGUN],
  [/^cannot (?:commit|rollback) - no transaction is active$/, "programming", "SQLITE_ERROR"],
  [/ - SQL statements in progress$/, "operational", "SQLITE_BUSY"],

  [/^execute timeout$/, "unknown", undefined, "outside a transaction it may have been applied"],
  [/^query timeout$/, "timeout", undefined],
  [/^database is locked/, "operational", "SQLITE_BUSY"],
  [/^database table is locked/, "operational", "SQLITE_LOCKED"],
  [/^(?:database or disk is full)/, "operational", "SQLITE_FULL"],
  [/^disk I\/O error/, "operational", "SQLITE_IOERR"],
  [
    /^(?:database disk image is malformed|corrupt (?:database|schema))/,
    "operational",
    "SQLITE_CORRUPT",
  ],
  [/^malformed database schema/, "operational", "SQLITE_CORRUPT"],
  [/^unable to open (?:database file|a temporary database)/, "operational", "SQLITE_CANTOPEN"],
  [/^file is not a database/, "operational", "SQLITE_NOTADB"],
  [/^database schema (?:has changed|is locked)/, "operational", "SQLITE_SCHEMA"],
  [/^locking protocol/, "operational", "SQLITE_PROTOCOL"],
  [/^(?:interrupted|query aborted)/, "operational", "SQLITE_INTERRUPT"],
  [/^out of memory/, "operational", "SQLITE_NOMEM"],

  [/^string or blob too big/, "data", "SQLITE_TOOBIG", "SQLite holds 1,000,000,000 bytes at most"],
  [
    /^Time\.MarshalText: /,
    "data",
    "ERR_DATA",
    "a DATE, DATETIME or TIMESTAMP column holds a year that the server cannot print, select +column to read it raw",
  ],
  [any(VALUES), "data", "SQLITE_ERROR"],

  [
    /^too many SQL variables$/,
    "programming",
    "SQLITE_ERROR",
    "a statement takes 32766 parameters at most",
  ],
  [any(BINDING), "programming", "SQLITE_RANGE"],
  [any(OBJECTS), "programming", "SQLITE_ERROR"],
  [any(COMPILER), "programming", "SQLITE_ERROR"],
];

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
 * import { statementError } from "./sql_errors.ts";
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
