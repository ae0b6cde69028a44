import type { TableFacts } from "../schema/facts.ts";
import { applyEdits, type Edit } from "../sql/edit.ts";
import type { Placeholder } from "../sql/placeholders.ts";
import { quotedName } from "../sql/quoting.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { ParsedQuery } from "./parse_query.ts";
import type { SelectItem } from "./syntax_tree.ts";
import { isTextSafe, kindOfColumn } from "./value_kind.ts";
import type { Findings, InlinedView } from "./walk.ts";

/** A read that was looked through. */
export interface AnalysedRead extends ParsedQuery {
  /** What was found. */
  readonly findings: Findings;
  /** The placeholders of its text. */
  readonly placeholders: readonly Placeholder[];
}

/** What is written into a read. */
export interface Rewrite {
  /** The tables, in lower case, that a CTE masks: it has a key in place of each column that nodes may hold differently. */
  readonly masks: ReadonlySet<string>;
  /** The views that are written in as CTEs. */
  readonly views: readonly InlinedView[];
  /** Further result columns. */
  readonly order: readonly string[];
}

/**
 * The text of a read with CTEs in front and further result columns.
 *
 * @returns `undefined` where a name would mean something else then.
 */
export function rewritten(read: AnalysedRead, rewrite: Rewrite): string | undefined {
  const { view, findings, placeholders } = read;
  const { masks, views, order } = rewrite;
  if (masks.size + views.length > 0 && captures(read, rewrite)) return undefined;
  const ctes = [...masks].map((name) => {
    const table = findings.facts.table(name);
    return table === undefined ? "" : maskOf(table);
  });
  ctes.push(...views.map(inlinedView));
  return applyEdits(view.sql, editsOf(read, ctes, order), placeholders);
}

/** Whether a WITH of the read's own would get between our CTEs and what they name, or a qualified name past them. */
function captures(
  { tree, findings }: AnalysedRead,
  { masks, views }: Rewrite,
): boolean {
  const own = tree.ctes.map(({ name }) => name.toLowerCase());
  const { tables, unmaskable } = findings;
  if (views.some(({ facts }) => unmaskable.has(facts.name.toLowerCase()))) return true;
  return own.some((name) => masks.has(name) || findings.views.has(name) || tables.has(name));
}

function editsOf(
  { view, tree, placeholders }: AnalysedRead,
  ctes: readonly string[],
  order: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  const last = view.tokens.length - 1;
  if (view.is(last, ";")) edits.push({ start: view.start(last), end: view.end(last), text: "" });
  if (ctes.length > 0) edits.push(withEdit(view, ctes.join(", ")));
  const item = tree.selects[0]?.items.at(-1);
  if (order.length === 0 || item === undefined) return edits;
  const end = endOf(view, item);
  edits.push({ start: end, end, text: `, ${order.join(", ")}` });
  if (!order.some((text) => /\?/.test(text))) return edits;
  for (const { start, end, index } of placeholders) {
    edits.push({ start, end, text: `?${index}` });
  }
  return edits;
}

/** Behind a result column and its alias, with AS or without. */
function endOf(view: TokenView, item: SelectItem): number {
  if (item.kind === "star" || item.alias === undefined) {
    return view.end(item.to - 1);
  }
  return view.end(view.isWord(item.to, "AS") ? item.to + 1 : item.to);
}

/** CTEs in front of those that the read has itself. */
function withEdit(view: TokenView, ctes: string): Edit {
  if (!view.isWord(0, "WITH")) {
    const start = view.start(0);
    return { start, end: start, text: `WITH ${ctes} ` };
  }
  const start = view.end(view.isWord(1, "RECURSIVE") ? 1 : 0);
  return { start, end: start, text: ` ${ctes},` };
}

/**
 * The table with a key in place of each local column: it says which row it is, so another row is another value.
 *
 * @param table One that has local columns.
 */
function maskOf(table: TableFacts): string {
  const key = maskKey(table);
  const columns = table.columns.filter(({ hidden }) => !hidden).map(({ name }) => {
    const local = table.local.has(name.toLowerCase());
    return local
      ? `${key === undefined ? "NULL" : quotedName(key)} AS ${quotedName(name)}`
      : quotedName(name);
  });
  const name = quotedName(table.name);
  return `${name} AS NOT MATERIALIZED (SELECT ${columns.join()} FROM main.${name})`;
}

/** The shared column that stands in for the local ones. */
export function maskKey(table: TableFacts): string | undefined {
  const names = [table.rowid, ...table.key, ...table.candidateKeys.flat()];
  const known = names.map((name) =>
    table.columns.find((column) => column.name.toLowerCase() === name?.toLowerCase())
  );
  // A key that may be a REAL could not be made text of, where the column it stands in for can.
  return known.find((column) =>
    column !== undefined && !table.local.has(column.name.toLowerCase()) &&
    isTextSafe(kindOfColumn(table, column))
  )?.name;
}

/** The view as it is, its time frozen. */
function inlinedView({ facts, body }: InlinedView): string {
  const columns = facts.columns.map(({ name }) => quotedName(name)).join();
  return `${quotedName(facts.name)}(${columns}) AS NOT MATERIALIZED (${body})`;
}
