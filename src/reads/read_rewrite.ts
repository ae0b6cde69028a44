import { applyEdits, type Edit } from "../sql/edit.ts";
import type { Placeholder } from "../sql/placeholders.ts";
import type { TokenView } from "../sql/view.ts";
import { inlinedView, maskOf } from "./mask.ts";
import type { Findings, InlinedView } from "./read_findings.ts";
import type { ReadText } from "./read_query.ts";

/** A read and what is known of it. */
export interface ReadParts {
  readonly text: ReadText;
  readonly findings: Findings;
  readonly placeholders: readonly Placeholder[];
}

/** The text with CTEs in front and further result columns; `undefined` where a name would mean something else. */
export function withCtes(
  parts: ReadParts,
  masks: ReadonlySet<string>,
  views: readonly InlinedView[],
  order: readonly string[],
): string | undefined {
  const tables = [...masks].map((name) => parts.findings.facts.table(name));
  if (masks.size + views.length > 0 && captures(parts, masks, views)) return undefined;
  const ctes = tables.map((table) => table === undefined ? "" : maskOf(table));
  ctes.push(...views.map(inlinedView));
  return applyEdits(parts.text.view.sql, edits(parts, ctes, order), parts.placeholders);
}

/** Whether a WITH of the read's own would get between our CTEs and what they name, or a qualified name past them. */
function captures(
  { text, findings }: ReadParts,
  masks: ReadonlySet<string>,
  views: readonly InlinedView[],
): boolean {
  const own = text.query.ctes.map(({ name }) => name.toLowerCase());
  const { tables, unmaskable } = findings;
  if (views.some(({ facts }) => unmaskable.has(facts.name.toLowerCase()))) return true;
  return own.some((name) => masks.has(name) || findings.views.has(name) || tables.has(name));
}

function edits(
  { text: { view, query }, placeholders }: ReadParts,
  ctes: readonly string[],
  order: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  const last = view.tokens.at(-1)!;
  if (view.is(view.tokens.length - 1, ";")) {
    edits.push({ start: last.start, end: last.end, text: "" });
  }
  if (ctes.length > 0) edits.push(front(view, ctes.join(", ")));
  if (order.length === 0) return edits;
  const at = view.tokens[query.selects[0]!.items.at(-1)!.to - 1]!.end;
  const behind = query.selects[0]!.items.at(-1)!;
  const end = behind.kind === "expr" && behind.alias !== undefined ? aliasEnd(view, behind.to) : at;
  edits.push({ start: end, end, text: `, ${order.join(", ")}` });
  if (!order.some((text) => /\?/.test(text))) return edits;
  for (const { start, end, index } of placeholders) {
    edits.push({ start, end, text: `?${index}` });
  }
  return edits;
}

/** Behind an alias, with AS or without. */
function aliasEnd(view: TokenView, at: number): number {
  return view.tokens[view.isWord(at, "AS") ? at + 1 : at]!.end;
}

function front(view: TokenView, ctes: string): Edit {
  if (!view.isWord(0, "WITH")) {
    const start = view.tokens[0]!.start;
    return { start, end: start, text: `WITH ${ctes} ` };
  }
  const start = view.tokens[view.isWord(1, "RECURSIVE") ? 1 : 0]!.end;
  return { start, end: start, text: ` ${ctes},` };
}
