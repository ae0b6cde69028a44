import { isPlain } from "./plain.ts";
import { TokenView } from "./token_view.ts";
import type { Prepared } from "./prepare.ts";

/**
 * Makes every server answer the rows of a RETURNING clause. A server returns them only if its own SQL parser
 * understands the statement; that parser reads up to the first `;`, and of a string marked as returning rows only
 * the last statement is run. So a statement in front that is understood, and that would do nothing, marks it
 * (orm-drivers §1.4; undocumented, hence the option `returningRewrite`).
 *
 * @returns The same statement if it needs nothing.
 */
export function withReturning(prepared: Prepared): Prepared {
  const { analysis, sql } = prepared;
  return isPlain(analysis) && sql === analysis.text ? prepared : marked(prepared);
}

/** The same for every statement with RETURNING. */
export function marked(prepared: Prepared): Prepared {
  const { analysis, sql } = prepared;
  if (!analysis.returning || analysis.table === undefined) return prepared;
  return {
    ...prepared,
    sql: `DELETE FROM ${plainName(analysis.table)} WHERE 0 RETURNING 1; ${sql}`,
  };
}

/** The same for a virtual table, which has RETURNING for INSERT only. */
export function asOfVirtual(prepared: Prepared): Prepared {
  const sql = prepared.sql.replace(
    MARKER,
    (_, table: string) => `INSERT INTO ${table} SELECT * FROM ${table} WHERE 0 RETURNING 1; `,
  );
  return sql === prepared.sql ? prepared : { ...prepared, sql };
}

const MARKER = /^DELETE FROM ("(?:[^"]|"")*") WHERE 0 RETURNING 1; /;

/** The statement without what {@linkcode withReturning} put in front of it. */
export function withoutMarker(sql: string): string {
  return sql.replace(MARKER, "");
}

/** The table's own name in the one quoting that every server's parser reads, without the schema. */
function plainName(table: string): string {
  return `"${TokenView.of(table).lastName().replaceAll('"', '""')}"`;
}
