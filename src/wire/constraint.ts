import type { Constraint, ErrorCode } from "../errors.ts";

/** What a message says about the constraint that refused a row. */
export interface Violation {
  /** Which kind. */
  readonly constraint: Constraint;
  /** SQLite's name for it. */
  readonly code: ErrorCode;
  /** The table, where it is named. */
  readonly table?: string;
  /** The columns, where they are named. */
  readonly columns?: readonly string[];
}

type Reader = (named: string) => Violation;

const READERS: readonly (readonly [RegExp, Reader])[] = [
  [/^UNIQUE constraint failed: (.*)$/s, unique],
  [/^NOT NULL constraint failed: (.*)$/s, (named) => ({
    constraint: "notnull",
    code: "SQLITE_CONSTRAINT_NOTNULL",
    ...parts(named),
  })],
  [/^CHECK constraint failed(?:: .*)?()$/s, () => ({
    constraint: "check",
    code: "SQLITE_CONSTRAINT_CHECK",
  })],
  [/^FOREIGN KEY constraint failed()$/, () => ({
    constraint: "foreignkey",
    code: "SQLITE_CONSTRAINT_FOREIGNKEY",
  })],
  [/^cannot store \w+ value in \w+ column (.*)$/s, (named) => ({
    constraint: "datatype",
    code: "SQLITE_CONSTRAINT_DATATYPE",
    ...parts(named),
  })],
  // Virtual tables: `rtree constraint failed: r.(a<=b)`, or nothing but the general text.
  [/^(?:rtree )?constraint failed()/, () => ({ constraint: "check", code: "SQLITE_CONSTRAINT" })],
  // Text into an INTEGER PRIMARY KEY.
  [/^datatype mismatch()$/, () => ({ constraint: "datatype", code: "SQLITE_MISMATCH" })],
];

/** Reads SQLite's message of a violated constraint; `undefined` for any other text. */
export function constraintOf(text: string): Violation | undefined {
  for (const [pattern, read] of READERS) {
    const match = pattern.exec(text);
    if (match !== null) return read(match[1] ?? "");
  }
  return undefined;
}

function unique(named: string): Violation {
  const names = parts(named);
  // SQLite calls the hidden key of a table without a primary key so.
  return names.columns?.length === 1 && names.columns[0] === "rowid"
    ? { constraint: "rowid", code: "SQLITE_CONSTRAINT_ROWID", ...names }
    : { constraint: "unique", code: "SQLITE_CONSTRAINT_UNIQUE", ...names };
}

/** `c.a, c.s` taken apart; an index over expressions (`index 'ix'`) names neither table nor columns. */
function parts(named: string): Pick<Violation, "table" | "columns"> {
  const dot = named.indexOf(".");
  if (dot < 0 || named.startsWith("index '")) return {};
  const prefix = named.slice(0, dot + 1);
  const columns = named.slice(prefix.length).split(`, ${prefix}`);
  return { table: named.slice(0, dot), columns };
}
