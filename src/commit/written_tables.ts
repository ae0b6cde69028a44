import type { Facts, TableFacts } from "../schema/facts.ts";
import { changes, tokensOf } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { TextCache } from "../sql/text_cache.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { asOfVirtual } from "../sql/returning.ts";
import { TokenView } from "../sql/token_view.ts";
import { type CommitId, type Entry, EVERYTHING } from "./log_table.ts";

/**
 * What statements may write, as the log of commits keeps it: tables in lower case, those of triggers and foreign keys
 * included. A table's name with `!` behind it means that columns which nodes may hold differently can have changed in
 * rows that were there before.
 */
export function writtenBy(statements: readonly Prepared[], facts: Facts): Set<string> {
  const names = new Set<string>();
  for (const { analysis } of statements) {
    // What a PRAGMA may change in a commit is in no table.
    if (!changes(analysis) || analysis.kind === "pragma") continue;
    const name = analysis.kind === "write" ? nameIn(analysis.table) : undefined;
    if (name !== undefined && isOwnTable(name)) continue;
    const table = name === undefined ? undefined : facts.table(name);
    if (table === undefined) return new Set([EVERYTHING]);
    addTables(names, analysis, table, facts);
  }
  return names.has(EVERYTHING) ? new Set([EVERYTHING]) : names;
}

/** What enters the log in front of statements. @param facts Those of the state that the base of the id is of. */
export function entryOf(all: readonly Prepared[], facts: Facts, id: CommitId): Entry {
  // Of many with one text, each is about the same tables.
  const statements = [...new Map(all.map((one) => [one.analysis, one])).values()];
  return {
    id,
    wrote: writtenBy(statements, facts),
    // What is nothing but DDL was made by no facts.
    since: statements.every(isOnlyDdl) ? undefined : id.base,
    tables: targetsOf(statements, facts),
  };
}

/** Whether a statement changes tables, views or triggers. */
export function isDdl({ analysis: { verb } }: Prepared): boolean {
  return verb === "CREATE" || verb === "ALTER" || verb === "DROP";
}

/** Whether the facts about the schema do not matter to a statement that may change it. */
export function isOnlyDdl({ analysis: { kind, stores } }: Prepared): boolean {
  return kind === "ddl" && !stores;
}

/** The tables by whose facts statements were made. */
export function targetsOf(statements: readonly Prepared[], facts: Facts): Set<TableFacts> {
  const found = new Set<TableFacts>();
  for (const { analysis } of statements) {
    const table = tableOf(analysis.table, facts);
    if (table?.kind === "table") found.add(table);
  }
  return found;
}

/** Whether a write goes to a table that is not known, and that no statement in front of it makes. */
export function namesUnknown(statements: readonly Prepared[], facts: Facts): boolean {
  for (const { analysis: { kind, table } } of statements) {
    if (kind === "ddl") return false;
    const name = kind === "write" ? nameIn(table) : undefined;
    if (name !== undefined && !isOwnTable(name) && facts.table(name) === undefined) return true;
  }
  return false;
}

/** The facts about a table by its name as a statement writes it, such as `main."t"`. */
export function tableOf(written: string | undefined, facts: Facts): TableFacts | undefined {
  const name = nameIn(written);
  return name === undefined ? undefined : facts.table(name);
}

/** The statement as the table that it is about takes it. */
export function markedFor(prepared: Prepared, facts: Facts): Prepared {
  const virtual = tableOf(prepared.analysis.table, facts)?.kind === "virtual";
  return virtual ? asOfVirtual(prepared) : prepared;
}

/** Bare names by how they are written. */
const names: TextCache<string> = new TextCache(1000, 100_000);

/** The bare name of a table as a statement writes it. */
export function nameIn(written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  let name = names.get(written);
  if (name === undefined) {
    const view = TokenView.of(written);
    name = view.name(view.tokens.length - 1);
    names.set(written, name);
  }
  return name;
}

function addTables(
  names: Set<string>,
  analysis: Prepared["analysis"],
  table: TableFacts,
  facts: Facts,
): void {
  const own = table.name.toLowerCase();
  for (const name of table.writes) {
    names.add(name);
    // What triggers and foreign keys do is not looked at closely.
    if (name !== own && facts.table(name)?.local.size !== 0) names.add(`${name}!`);
  }
  if (changesLocal(analysis, table)) names.add(`${own}!`);
}

/** Whether local columns of rows that were there before may differ behind it, be it as one is gone and comes again. */
function changesLocal(analysis: Prepared["analysis"], table: TableFacts): boolean {
  const { verb, upsert, text } = analysis;
  if (table.local.size === 0) return false;
  if (verb === "INSERT" && !upsert) return /\breplace\b/i.test(text);
  if (verb !== "UPDATE" || table.triggered) return true;
  const view = tokensOf(analysis);
  return view.tokens.some((_, i) => table.local.has(view.name(i).toLowerCase()));
}
