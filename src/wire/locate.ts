import type { Position } from "../errors.ts";
import { atPlace, positionOf } from "../sql/problem.ts";
import type { Token } from "../sql/tokenize.ts";
import { TokenView } from "../sql/token_view.ts";

/** What the server says of a token, as it is written in the statement. */
const TOKEN = /^(?:near|unrecognized token:) "(.*)"(?:: syntax error)?$/s;

/** What it says of a name; the last part of one with dots is looked for. */
const NAME =
  /^(?:no such (?:column|table|function|table column): |ambiguous column name: |table .+ has no column named )"?(?:[^".]+\.)*([^".]+)"?(?: - should this be .*)?$/s;

/** More places than that say nothing. */
const MOST = 3;

/** How much of the line is shown on either side, in characters. */
const AROUND = 24;

/** Where in a statement an error is, and how a message says it. */
export interface Located {
  /** Only where there is one place that it can be. */
  readonly position: Position | undefined;
  /** What the message goes on with. */
  readonly words: string;
}

/** The server names what it stumbled over and not where it stands: it is looked for in what the caller wrote. */
export function locate(text: string, sql: string | undefined): Located | undefined {
  if (sql === undefined) return undefined;
  const offsets = offsetsOf(text, sql);
  if (offsets.length === 0 || offsets.length > MOST) return undefined;
  const positions = offsets.map((offset) => positionOf(sql, offset));
  const [position] = positions.length === 1 ? positions : [];
  const [offset = 0] = offsets;
  const places = positions.map(atPlace).join(" or ");
  const around = position === undefined ? "" : `: ${excerpt(sql, offset)}`;
  return { position, words: ` at ${places} of the statement${around}` };
}

function offsetsOf(text: string, sql: string): number[] {
  const [token, name] = [TOKEN.exec(text)?.[1], NAME.exec(text)?.[1]?.toLowerCase()];
  if (text === "incomplete input") return [sql.trimEnd().length];
  if (token === undefined && name === undefined) return [];
  const view = TokenView.of(sql);
  const isIt = ({ kind }: Token, i: number): boolean =>
    token !== undefined
      ? view.text(i) === token
      : (kind === "word" || kind === "quoted") && view.name(i).toLowerCase() === name;
  return view.tokens.filter(isIt).map(({ start }) => start);
}

/** The line around the place. */
function excerpt(sql: string, offset: number): string {
  const start = sql.lastIndexOf("\n", offset - 1) + 1;
  const line = sql.indexOf("\n", offset);
  const end = line < 0 ? sql.length : line;
  const [from, to] = [Math.max(start, offset - AROUND), Math.min(end, offset + AROUND)];
  return `${from > start ? "…" : ""}${sql.slice(from, to).trim()}${to < end ? "…" : ""}`;
}
