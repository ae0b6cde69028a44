import type { TableFacts } from "../schema/facts.ts";
import { analyse } from "../sql/analyse.ts";
import { sitesOf } from "../sql/sites.ts";
import type { Findings } from "./read_findings.ts";
import { readQuery, type ReadText } from "./read_query.ts";
import type { Column } from "./read_scope.ts";
import { viewBody } from "./view_body.ts";

/** What views need of the walk around them. */
export interface ViewSurroundings {
  readonly findings: Findings;
  /** Replaces the present time in a text. */
  readonly freezeText: ((sql: string) => string) | undefined;
  /** Looks through a text of its own. */
  text(text: ReadText): readonly Column[];
}

/** Looks through a view: its SELECT is kept among the findings, should it have to be put in the read. */
export function walkView(table: TableFacts, around: ViewSurroundings): readonly Column[] {
  const { findings } = around;
  const before = findings.timed;
  findings.timed = false;
  const text = viewBody(table.sql);
  const body = text === undefined ? undefined : frozen(table, text, around);
  const columns = body === undefined ? undefined : columnsOf(body, around);
  const { timed } = findings;
  findings.timed ||= before;
  if (body === undefined || columns?.length !== table.columns.length) {
    return unknown(table, findings);
  }
  findings.views.set(table.name.toLowerCase(), { facts: table, body, timed });
  return columns.map((column, i) => ({ ...column, name: table.columns[i]!.name.toLowerCase() }));
}

function columnsOf(
  body: string,
  { findings, text }: ViewSurroundings,
): readonly Column[] | undefined {
  const read = readQuery(body);
  findings.depth++;
  const columns = read === undefined || findings.depth > 20 ? undefined : text(read);
  findings.depth--;
  return columns;
}

function frozen(
  table: TableFacts,
  text: string,
  { findings, freezeText }: ViewSurroundings,
): string | undefined {
  const sites = sitesOf(analyse(text));
  if (sites.length === 0) return text;
  findings.timed = true;
  if (sites.some(({ kind }) => kind === "random" || kind === "randomblob")) {
    findings.refusal ??= `random values of the view ${table.name}`;
  }
  try {
    return freezeText?.(text);
  } catch {
    // What cannot be frozen is judged as it is.
    return undefined;
  }
}

function unknown(table: TableFacts, findings: Findings): readonly Column[] {
  findings.hard.add(`the view ${table.name}`);
  findings.read(table);
  return table.columns.map(({ name }) => ({
    name: name.toLowerCase(),
    kind: "any",
    local: new Set(),
  }));
}
