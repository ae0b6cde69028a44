import { classify } from "../sql/classify.ts";
import { ROWID_NAMES } from "../sql/rowid_names.ts";
import type { TokenView } from "../sql/view.ts";
import { isName } from "../sql/words.ts";
import type { Facts, TableFacts } from "./facts.ts";
import { behind, type Range } from "./insert_parts.ts";
import { viewOf } from "./node_state.ts";
import { definitionOf } from "./objects.ts";

/** What an account knows that may not read the schema. */
export const NO_FACTS: Facts = { version: "", table: () => undefined };

/**
 * Whether an UPDATE or DELETE changes one row at most, as its WHERE says `=` of every column of something unique. Of a table
 * that is not known, the node says that there is none.
 */
export function changesOneRow(sql: string, facts: Facts): boolean {
  const view = viewOf(sql);
  if (view === undefined) return false;
  const { at } = classify(sql, view.tokens);
  const [name, where, end] = partsOf(view, at);
  const table = facts.table(name);
  if (table === undefined) return facts !== NO_FACTS;
  const given = where < 0 ? undefined : columnsGiven(view, [where + 1, end]);
  return given !== undefined && table.kind === "table" && isUnique(table, given);
}

/** The table, the index of WHERE, and that behind the condition; no WHERE where others decide, too. */
function partsOf(view: TokenView, at: number): [table: string, where: number, end: number] {
  const first = view.isWord(at + 1, "OR") ? at + 3 : view.isWord(at + 1, "FROM") ? at + 2 : at + 1;
  const table = view.name(view.is(first + 1, ".") ? first + 2 : first);
  let [where, i] = [-1, first];
  for (; i < view.tokens.length; i = behind(view, i)) {
    if (view.isOneOf(i, ["RETURNING", "ORDER", "LIMIT"])) break;
    if (view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")) return [table, -1, i];
    if (where < 0 && view.isWord(i, "WHERE")) where = i;
  }
  return [table, where, i];
}

/** The columns, in lower case, that have to equal a value; `undefined` where AND is not all that joins the parts. */
function columnsGiven(view: TokenView, [from, to]: Range): Set<string> | undefined {
  if (view.is(from, "(") && behind(view, from) === to) {
    return columnsGiven(view, [from + 1, to - 1]);
  }
  const given = new Set<string>();
  let start = from;
  for (let i = from; i <= to; i = i === to ? i + 1 : behind(view, i)) {
    if (i < to && view.isOneOf(i, ["OR", "BETWEEN", "CASE"])) return undefined;
    if (i < to && !view.isWord(i, "AND")) continue;
    for (const name of equalled(view, [start, i])) given.add(name);
    start = i + 1;
  }
  return given;
}

/** `column = value`, also the other way round; a group is looked into. */
function equalled(view: TokenView, [from, to]: Range): Iterable<string> {
  if (view.is(from, "(") && behind(view, from) === to) {
    return columnsGiven(view, [from + 1, to - 1]) ?? [];
  }
  for (let i = from; i < to; i++) {
    if (!view.is(i, "=") && !view.is(i, "==")) continue;
    const column = columnIn(view, [from, i]) ?? columnIn(view, [i + 1, to]);
    const values = isValue(view, [from, i]) || isValue(view, [i + 1, to]);
    return column !== undefined && values ? [column] : [];
  }
  return [];
}

function columnIn(view: TokenView, [from, to]: Range): string | undefined {
  for (let i = from; i < to; i += 2) {
    const { kind } = view.tokens[i]!;
    if (kind === "string" || !isName(view.tokens[i])) return undefined;
    if (i === to - 1) return view.name(i).toLowerCase();
    if (!view.is(i + 1, ".")) return undefined;
  }
  return undefined;
}

function isValue(view: TokenView, [from, to]: Range): boolean {
  const kind = view.tokens[to - 1]?.kind;
  const negative = to === from + 2 && view.is(from, "-");
  return (to === from + 1 || negative) &&
    (kind === "placeholder" || kind === "string" || kind === "number" || kind === "blob");
}

function isUnique(table: TableFacts, given: ReadonlySet<string>): boolean {
  const { columns, withoutRowid, lookups } = table;
  const hidden = columns.map(({ name }) => name.toLowerCase());
  const byRowid = !withoutRowid &&
    ROWID_NAMES.some((name) => given.has(name) && !hidden.includes(name));
  return byRowid ||
    lookups.some((names) =>
      names.every((name) => given.has(name) && comparesAlike(table, name, names.length === 1))
    );
}

/** Whether values that the index tells apart are told apart by `=`, which goes by the column's own collation. */
function comparesAlike({ sql }: TableFacts, column: string, alone: boolean): boolean {
  const whole = viewOf(sql);
  const view = whole && definitionOf(whole, column);
  if (view === undefined) return false;
  const has = (words: readonly string[]) => view.tokens.some((_, i) => view.isOneOf(i, words));
  return !has(["COLLATE"]) || (alone && has(["UNIQUE", "PRIMARY"]));
}
