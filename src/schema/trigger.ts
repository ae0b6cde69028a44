import { TokenView } from "../sql/view.ts";
import { groupEnd, isName } from "../sql/words.ts";
import { insertParts } from "./insert_parts.ts";
import { partOf, viewOf } from "./node_state.ts";
import { assignments, setAt } from "./update_parts.ts";

/** What a statement of a trigger does to a table. */
export interface Effect {
  /** The table or view, in lower case. */
  readonly table: string;
  /** The columns it assigns, in lower case; all of them if `undefined`. */
  readonly columns: readonly string[] | undefined;
}

/** What the text of a trigger tells. */
export interface Trigger {
  /** The table or view that it watches, in lower case. */
  readonly subject: string;
  /** Its condition and body; its whole text if that could not be read. */
  readonly view: TokenView;
  /** What its statements do; `undefined` if that cannot be told. */
  readonly effects: readonly Effect[] | undefined;
}

const BODY = ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"];

/** Reads a CREATE TRIGGER; the text is one that SQLite has accepted. */
export function readTrigger(sql: string, subject: string): Trigger {
  const view = viewOf(sql);
  if (view === undefined) return { subject, view: new TokenView("", []), effects: undefined };
  const begin = view.tokens.findIndex((_, i) =>
    view.isWord(i, "BEGIN") && view.isOneOf(i + 1, BODY)
  );
  const when = view.tokens.findIndex((_, i) => view.isWord(i, "WHEN"));
  if (begin < 0) return { subject, view, effects: undefined };
  const from = when < 0 ? begin : Math.min(when, begin);
  return { subject, view: partOf(view, from), effects: effectsOf(partOf(view, begin + 1)) };
}

function effectsOf(body: TokenView): Effect[] | undefined {
  const effects: Effect[] = [];
  for (const statement of statementsOf(body)) {
    const effect = effectOf(statement);
    if (effect === undefined) return undefined;
    effects.push(...effect);
  }
  return effects;
}

/** The statements of the body, each with tokens of its own. */
function statementsOf(body: TokenView): TokenView[] {
  const statements: TokenView[] = [];
  let from = 0;
  body.tokens.forEach((_, i) => {
    if (!body.is(i, ";")) return;
    statements.push(partOf(body, from, i));
    from = i + 1;
  });
  return statements;
}

function effectOf(view: TokenView): Effect[] | undefined {
  if (view.isWord(0, "SELECT")) return [];
  if (view.isWord(0, "UPDATE")) return updated(view);
  if (view.isWord(0, "DELETE")) return named(view, view.isWord(1, "FROM") ? 2 : -1, undefined);
  return view.isOneOf(0, ["INSERT", "REPLACE"]) ? inserted(view) : undefined;
}

function updated(view: TokenView): Effect[] | undefined {
  const at = view.isWord(1, "OR") ? 3 : 1;
  return named(view, at, assigned(view, at));
}

/** The columns behind the next SET; `null` if they cannot be read. */
function assigned(view: TokenView, from: number): string[] | null {
  const set = setAt(view, from);
  const list = set < 0 ? undefined : assignments(view, set);
  return list?.flatMap(({ columns }) => columns.map((name) => name.toLowerCase())) ?? null;
}

function named(
  view: TokenView,
  at: number,
  columns: string[] | undefined | null,
): Effect[] | undefined {
  if (columns === null || !isName(view.tokens[at])) return undefined;
  const table = view.name(view.is(at + 1, ".") ? at + 2 : at).toLowerCase();
  return [{ table, columns }];
}

function inserted(view: TokenView): Effect[] | undefined {
  const parts = insertParts(view, 0);
  if (parts === undefined) return undefined;
  const table = parts.table.toLowerCase();
  const effects: Effect[] = [
    { table, columns: parts.columns?.map((name) => name.toLowerCase()) },
  ];
  for (let i = parts.sourceAt; i < view.tokens.length; i++) {
    if (view.is(i, "(")) i = groupEnd(view.sql, view.tokens, i) - 1;
    if (!view.isWord(i, "DO") || !view.isWord(i + 1, "UPDATE")) continue;
    const columns = assigned(view, i + 2);
    if (columns === null) return undefined;
    effects.push({ table, columns });
  }
  return effects;
}
