import type { Prepared } from "./prepare.ts";

/**
 * The same read with further columns, one for each of those named: the storage class, or the bytes of a BLOB in
 * hexadecimal digits, or for text among dates `=` and the text. Materialized, so that what is random is evaluated once;
 * rows keep their order.
 *
 * @param width How many columns the read has.
 * @param dates Which of those named the server takes for dates; the others come as expressions, which it leaves as they
 * are: of a compound SELECT the types that it goes by are other ones here, those of the last part.
 */
export function tellingOf(
  prepared: Prepared,
  width: number,
  columns: readonly number[],
  dates: readonly number[],
): Prepared {
  const names = namesOf(width);
  const own = [...names];
  const kinds = columns.map((i) => {
    const isDate = dates.includes(i);
    if (!isDate) own[i] = `+c${i}`;
    const text = isDate ? ` WHEN 'text' THEN '=' || c${i}` : "";
    return `CASE typeof(c${i}) WHEN 'blob' THEN hex(c${i})${text} ELSE typeof(c${i}) END`;
  });
  return around(prepared, names, [...own, ...kinds]);
}

/** For each column of a read, in one row, 1 if it holds Infinity. @param width How many columns it has. */
export function infinityOf(prepared: Prepared, width: number): Prepared {
  const names = namesOf(width);
  const tests = names.map((name) => `max(typeof(${name}) = 'real' AND abs(${name}) = 9e999)`);
  return around(prepared, names, tests);
}

function namesOf(width: number): string[] {
  return Array.from({ length: width }, (_, i) => `c${i}`);
}

function around(
  prepared: Prepared,
  names: readonly string[],
  columns: readonly string[],
): Prepared {
  const sql = `WITH "_rqlite_rows"(${names}) AS MATERIALIZED (${prepared.sql}) ` +
    `SELECT ${columns} FROM "_rqlite_rows"`;
  return { ...prepared, sql };
}

/** The read without its rows: what the server tells of the columns then is their declared types. */
export function rowlessOf(prepared: Prepared): Prepared {
  return { ...prepared, sql: `SELECT * FROM (${prepared.sql}) LIMIT 0` };
}

/** Whether the types of its columns are the same in {@linkcode rowlessOf}: a compound SELECT has those of its first part. */
export function hasOwnTypes({ sql }: Prepared): boolean {
  return !/\b(?:union|intersect|except)\b/i.test(sql);
}
