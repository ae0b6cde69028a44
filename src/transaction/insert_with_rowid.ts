import type { TableFacts } from "../schema/facts.ts";
import { coalesced, defaultValuesEdit, insertionEdits, sourceOf } from "../schema/insert_edits.ts";
import { insertParts } from "../schema/statement_parts.ts";
import { itemsOf } from "../sql/group_items.ts";
import { quotedName } from "../sql/quoting.ts";
import { applyEdits, type Edit } from "../sql/edit.ts";
import { numberPlaceholders } from "../sql/placeholders.ts";
import type { Prepared } from "../sql/prepare.ts";
import { ownTokens } from "../sql/returning.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";

/**
 * An INSERT of one row with the rowid that its table gave it, so that it inserts the same row where those in front of it
 * are missing; `undefined` where that cannot be written.
 */
export function insertWithRowid(
  prepared: Prepared,
  table: TableFacts,
  rowid: number | bigint,
): Prepared | undefined {
  const view = ownTokens(prepared);
  const { sql } = view;
  const params = [...prepared.params, rowid];
  const edits = editsOf(view, table, `?${params.length}`);
  if (edits === undefined) return undefined;
  const marker = prepared.sql.slice(0, prepared.sql.length - sql.length);
  const text = applyEdits(sql, edits, numberPlaceholders(view).list);
  return { ...prepared, sql: marker + text, params };
}

function editsOf(view: TokenView, table: TableFacts, text: string): Edit[] | undefined {
  const parts = insertParts(view, 0);
  const taken = new Set(table.columns.map(({ name }) => name.toLowerCase()));
  const name = table.rowid ?? ROWID_NAMES.find((one) => !taken.has(one));
  if (parts === undefined || name === undefined) return undefined;
  const addition = { name: quotedName(name), text, random: false };
  if (view.isWord(parts.sourceAt, "DEFAULT")) return [defaultValuesEdit(view, parts, [addition])];
  const filled = table.columns.filter(({ generated, hidden }) => !generated && !hidden)
    .map((column) => column.name);
  const columns = parts.columns ?? filled;
  const at = columns.findIndex((one) =>
    one.toLowerCase() === table.rowid?.toLowerCase() ||
    (ROWID_NAMES.includes(one.toLowerCase()) && !taken.has(one.toLowerCase()))
  );
  const source = sourceOf(view, parts);
  // It was NULL.
  if (at >= 0) {
    const [row] = source.rows ?? [];
    const item = row === undefined ? undefined : itemsOf(view, row)[at];
    return item === undefined ? undefined : coalesced(view, item, text);
  }
  if (parts.columns !== undefined) {
    const wanted = { appended: [addition], instead: new Map(), width: columns.length };
    return insertionEdits(view, parts, source, wanted);
  }
  const list = [...columns.map(quotedName), addition.name].join(", ");
  const last = itemsOf(view, parts.sourceAt + 1).at(-1);
  const open = view.tokens[parts.sourceAt];
  const close = last && view.tokens[last[1]];
  if (open === undefined || close === undefined) return undefined;
  return [
    { start: open.start, end: open.start, text: `(${list}) ` },
    { start: close.start, end: close.start, text: `, ${text}` },
  ];
}
