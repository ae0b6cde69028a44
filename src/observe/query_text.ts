import type { Call, CallStatement } from "../calls/interceptor.ts";
import type { RqliteError } from "../errors.ts";
import { analyse } from "../sql/analyse.ts";
import { tokenize } from "../sql/tokenize.ts";
import { TokenView } from "../sql/token_view.ts";

/** How much of a text is told, in characters: one of many rows is as long as a request may be. */
const LONGEST = 2_000;

/** How long a summary may be, in characters, as the conventions have it. */
const LONGEST_SUMMARY = 255;

/**
 * The text of a statement without values: as it is where those are its parameters, else with `?` for each literal.
 *
 * @param call What it belongs to: the client writes keys of rows into the pages of `iterate`.
 */
export function textOf({ operation }: Call, { sql, params }: CallStatement): string {
  const parameterized = params.length > 0 && operation !== "iterate";
  return shortened(parameterized ? sql : withoutLiterals(sql.slice(0, 4 * LONGEST)));
}

/** At most {@linkcode LONGEST} characters of it. */
export function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function withoutLiterals(sql: string): string {
  return tokenize(sql).map(({ kind, start, end }) => {
    switch (kind) {
      case "string":
      case "number":
      case "blob":
      // The end of one may be cut off.
      case "error":
        return "?";
      case "comment":
        return " ";
      default:
        return sql.slice(start, end);
    }
  }).join("");
}

/**
 * What SQLite quotes in an error of what it was given: literals that it cannot read on behind, paths of JSON, what is searched
 * for, and a column that is not in the statement, as its place would be told else.
 */
const GIVEN = [
  /\b((?:near|token:) ")(?:x?'|[\d.])[^]*?(?="(?:: syntax error|$))/gi,
  /\b(bad JSON path: ')[^]*(?=')/g,
  /\b(JSON path error near ')[^]*(?=')/g,
  /\b(fts5: syntax error near ")[^]+(?=")/g,
  /\b(expected integer, got ")[^]*(?=")/g,
  /\b(no such column: )(?![^]* at line \d)[^]+/g,
];

/** What an error says, without values of the statement. */
export function messageOf({ message }: RqliteError): string {
  return GIVEN.reduce((text, given) => text.replace(given, "$1?"), message)
    .replace(/ of the statement: [^]*$/, "")
    // A conflict names the statement that it is about.
    .replace(/(?<=\. It is about )[^]*$/, withoutLiterals);
}

/** The keyword that says what a statement does, such as `SELECT`; "" where there is none. */
export function verbOf({ sql }: CallStatement): string {
  return analyse(sql).verb;
}

/** What a statement does to which tables, such as `SELECT users`: the same for all statements of a kind. */
export function summaryOf(statement: CallStatement): string {
  const { sql } = statement;
  const view = TokenView.of(sql.slice(0, 4 * LONGEST));
  const parts = DDL.includes(verbOf(statement)) ? ddlParts(view) : partsOf(view);
  let summary = parts[0] ?? verbOf(statement);
  for (const part of parts.slice(1)) {
    if (summary.length + part.length >= LONGEST_SUMMARY) break;
    summary += ` ${part}`;
  }
  return summary.slice(0, LONGEST_SUMMARY);
}

const DDL: readonly string[] = ["CREATE", "ALTER", "DROP"];
const OBJECTS: readonly string[] = ["TABLE", "INDEX", "VIEW", "TRIGGER"];

/** `CREATE TABLE users`, whatever stands between these. */
function ddlParts(view: TokenView): string[] {
  const object = view.tokens.findIndex((_, i) => view.isOneOf(i, OBJECTS));
  if (object < 0) return [];
  let name = object + 1;
  while (view.isOneOf(name, ["IF", "NOT", "EXISTS"])) name++;
  return [view.text(0), view.text(object), tableAt(view, name)].filter((part) => part !== "");
}

/** The keywords of reads and writes and the names behind them, in their order. */
function partsOf(view: TokenView): string[] {
  const parts: string[] = [];
  for (let i = 0; i < view.tokens.length; i++) {
    if (view.isOneOf(i, ["SELECT", "INSERT", "DELETE"])) parts.push(view.text(i));
    else if (view.isWord(i, "REPLACE") && view.isWord(i + 1, "INTO")) parts.push(view.text(i));
    else if (view.isWord(i, "UPDATE") && !view.isWord(i - 1, "DO")) {
      const table = view.isWord(i + 1, "OR") ? i + 3 : i + 1;
      parts.push(view.text(i), tableAt(view, table));
    } else if (view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")) {
      parts.push(...tablesAt(view, i + 1));
    } else if (view.isOneOf(i, ["INTO", "JOIN"])) parts.push(tableAt(view, i + 1));
  }
  return parts.filter((part) => part !== "");
}

/** The tables of a list with commas, with or without other names behind them. */
function tablesAt(view: TokenView, first: number): string[] {
  const tables: string[] = [];
  for (let i = first;;) {
    const table = tableAt(view, i);
    if (table === "") return tables;
    tables.push(table);
    i += view.is(i + 1, ".") ? 3 : 1;
    if (view.isWord(i, "AS")) i++;
    if (isName(view, i)) i++;
    if (!view.is(i++, ",")) return tables;
  }
}

/** The name of a table as it is written, with its schema; "" where none stands. */
function tableAt(view: TokenView, i: number): string {
  if (!isName(view, i)) return "";
  return view.is(i + 1, ".") ? `${view.text(i)}.${view.text(i + 2)}` : view.text(i);
}

function isName(view: TokenView, i: number): boolean {
  const { kind } = view.tokens[i] ?? {};
  return kind === "word" || kind === "quoted";
}
