import { TokenView } from "../sql/token_view.ts";
import { viewOf } from "./node_state.ts";
import { assignments, insertParts, setAt } from "./statement_parts.ts";

/** What makes a trigger fire. */
export type TriggerEvent = "INSERT" | "UPDATE" | "DELETE";

/** What a statement of a trigger does to a table. */
export interface Effect {
  /** Which triggers of the table it fires. */
  readonly event: TriggerEvent;
  /** The table or view, in lower case. */
  readonly table: string;
  /** The columns it assigns, in lower case; all of them if `undefined`. */
  readonly columns: readonly string[] | undefined;
  /**
   * Which rows there are may depend on values: a DELETE, an INSERT under a condition, of what
   * a SELECT finds, or one that may conflict.
   */
  readonly rows: boolean;
  /** The tokens that tell which rows it is about. */
  readonly choice: TokenView;
}

/** What the text of a trigger tells. */
export interface Trigger {
  /** The table or view that it watches, in lower case. */
  readonly subject: string;
  /** What fires it; `undefined` if that could not be read. */
  readonly event: TriggerEvent | undefined;
  /** The columns of UPDATE OF, in lower case. */
  readonly of: readonly string[] | undefined;
  /** Its condition alone; no tokens if there is none. */
  readonly when: TokenView;
  /** Its condition and body; its whole text if that could not be read. */
  readonly body: TokenView;
  /** What its statements do; `undefined` if that cannot be told. */
  readonly effects: readonly Effect[] | undefined;
  /** It may keep the statement that fired it from writing a row. */
  readonly raises: boolean;
  /** It runs in front of the write, and may change what that is about. */
  readonly before: boolean;
}

const BODY = ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"];

/** Reads a CREATE TRIGGER; the text is one that SQLite has accepted. */
export function readTrigger(sql: string, subject: string): Trigger {
  const view = viewOf(sql);
  if (view === undefined) return unreadable(new TokenView("", []), subject);
  const begin = view.tokens.findIndex((_, i) =>
    view.isWord(i, "BEGIN") && view.isOneOf(i + 1, BODY)
  );
  if (begin < 0) return unreadable(view, subject);
  const head = view.slice(0, begin);
  const when = head.find("WHEN");
  return {
    subject,
    ...firedBy(head),
    before: head.find("BEFORE") >= 0,
    when: head.slice(when < 0 ? begin : when),
    body: view.slice(when < 0 ? begin : when),
    effects: effectsOf(view.slice(begin + 1), when >= 0),
    raises: view.find("RAISE") >= 0,
  };
}

function firedBy(head: TokenView): Pick<Trigger, "event" | "of"> {
  const at = head.tokens.findIndex((_, i) => head.isOneOf(i, ["INSERT", "UPDATE", "DELETE"]));
  const event = head.isWord(at, "INSERT")
    ? "INSERT"
    : head.isWord(at, "UPDATE")
    ? "UPDATE"
    : "DELETE";
  if (at < 0 || !head.isWord(at + 1, "OF")) {
    return { event: at < 0 ? undefined : event, of: undefined };
  }
  const of: string[] = [];
  for (let i = at + 2; head.isName(i); i += 2) {
    of.push(head.name(i).toLowerCase());
    if (!head.is(i + 1, ",")) break;
  }
  return { event, of };
}

function unreadable(view: TokenView, subject: string): Trigger {
  return {
    subject,
    event: undefined,
    of: undefined,
    when: view,
    body: view,
    effects: undefined,
    raises: true,
    before: true,
  };
}

/** @param conditional The trigger has a WHEN. */
function effectsOf(body: TokenView, conditional: boolean): Effect[] | undefined {
  const effects: Effect[] = [];
  for (const statement of statementsOf(body)) {
    const effect = effectOf(statement, conditional);
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
    statements.push(body.slice(from, i));
    from = i + 1;
  });
  return statements;
}

function effectOf(view: TokenView, conditional: boolean): Effect[] | undefined {
  if (view.isWord(0, "SELECT")) return [];
  if (view.isWord(0, "UPDATE")) return updated(view);
  if (view.isWord(0, "DELETE")) return deleted(view);
  return view.isOneOf(0, ["INSERT", "REPLACE"]) ? inserted(view, conditional) : undefined;
}

function updated(view: TokenView): Effect[] | undefined {
  const or = view.isWord(1, "OR");
  const table = tableAt(view, or ? 3 : 1);
  const set = assigned(view, 1);
  if (table === undefined || set === undefined) return undefined;
  // OR REPLACE deletes the rows in the way.
  return [{
    event: "UPDATE",
    table,
    columns: set.columns,
    rows: or,
    choice: view.slice(set.end),
  }];
}

function deleted(view: TokenView): Effect[] | undefined {
  const table = tableAt(view, view.isWord(1, "FROM") ? 2 : -1);
  if (table === undefined) return undefined;
  return [{ event: "DELETE", table, columns: undefined, rows: true, choice: view }];
}

function tableAt(view: TokenView, at: number): string | undefined {
  const name = view.is(at + 1, ".") ? at + 2 : at;
  return view.isName(name) ? view.name(name).toLowerCase() : undefined;
}

/** The columns behind the next SET and the index behind the values; `undefined` if they cannot be read. */
function assigned(view: TokenView, from: number): { columns: string[]; end: number } | undefined {
  const set = setAt(view, from);
  const list = set < 0 ? undefined : assignments(view, set);
  const end = list?.at(-1)?.value[1];
  if (list === undefined || end === undefined) return undefined;
  return { columns: list.flatMap(({ columns }) => columns.map((name) => name.toLowerCase())), end };
}

function inserted(view: TokenView, conditional: boolean): Effect[] | undefined {
  const parts = insertParts(view, 0);
  if (parts === undefined) return undefined;
  const table = parts.table.toLowerCase();
  const columns = parts.columns?.map((name) => name.toLowerCase());
  const mayConflict = parts.replace || parts.or !== undefined ||
    view.find("CONFLICT") >= 0;
  const found = !view.isWord(parts.sourceAt, "VALUES") ||
    view.tokens.some((_, i) => view.isOneOf(i, ["UNION", "EXCEPT", "INTERSECT"]));
  const choice = mayConflict || found ? view : view.slice(view.tokens.length);
  const rows = conditional || mayConflict || found;
  const effects: Effect[] = [{ event: "INSERT", table, columns, rows, choice }];
  for (let i = parts.sourceAt; i < view.tokens.length; i = view.behind(i)) {
    if (!view.isWord(i, "DO") || !view.isWord(i + 1, "UPDATE")) continue;
    const set = assigned(view, i + 2);
    if (set === undefined) return undefined;
    effects.push({ event: "UPDATE", table, columns: set.columns, rows: false, choice });
  }
  return effects;
}
