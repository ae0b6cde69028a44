import type { TableFacts } from "../schema/facts.ts";
import { analyse, tokensOf } from "../sql/analyse.ts";
import { volatileValuesOf } from "../sql/volatile_values.ts";
import { parseQuery } from "./parse_query.ts";
import type { Column } from "./scope.ts";
import type { Findings, Walk } from "./walk.ts";

/** Looks through a view: its SELECT is kept among the findings, should it have to be put in the read. */
export function walkView(table: TableFacts, walk: Walk): readonly Column[] {
  const { findings } = walk;
  const before = findings.timed;
  findings.timed = false;
  const text = viewBody(table.sql);
  const body = text === undefined ? undefined : withFrozenTime(table, text, walk);
  const columns = body === undefined ? undefined : columnsOf(body, walk);
  const { timed } = findings;
  findings.timed ||= before;
  if (body === undefined || columns?.length !== table.columns.length) {
    return unknown(table, findings);
  }
  findings.views.set(table.name.toLowerCase(), { facts: table, body, timed });
  return columns.map((column, i) => ({
    ...column,
    name: (table.columns[i]?.name ?? column.name).toLowerCase(),
  }));
}

function columnsOf(
  body: string,
  walk: Walk,
): readonly Column[] | undefined {
  const { findings } = walk;
  const query = parseQuery(body);
  findings.depth++;
  const columns = query === undefined || findings.depth > 20 ? undefined : walk.text(query);
  findings.depth--;
  return columns;
}

function withFrozenTime(
  table: TableFacts,
  text: string,
  { findings, context }: Walk,
): string | undefined {
  const sites = volatileValuesOf(analyse(text));
  if (sites.length === 0) return text;
  findings.timed = true;
  if (sites.some(({ kind }) => kind === "random" || kind === "randomblob")) {
    findings.refusal ??= `random values of the view ${table.name}`;
  }
  try {
    return context.freezeText?.(text);
  } catch {
    // What cannot be frozen is judged as it is.
    return undefined;
  }
}

function unknown(table: TableFacts, findings: Findings): readonly Column[] {
  findings.incomparable.add(`the view ${table.name}`);
  findings.read(table);
  return table.columns.map(({ name }) => ({
    name: name.toLowerCase(),
    kind: "any",
    local: new Set(),
  }));
}

/** The SELECT of a CREATE VIEW, without comments; `undefined` if there is none. */
function viewBody(sql: string): string | undefined {
  const view = tokensOf(analyse(sql));
  const last = view.tokens.length - 1;
  for (let i = 1; i < last; i = view.behind(i)) {
    if (!view.isWord(i, "AS")) continue;
    return view.sql.slice(
      view.start(i + 1),
      view.is(last, ";") ? view.start(last) : view.end(last),
    );
  }
  return undefined;
}
