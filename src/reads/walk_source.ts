import { hasLocalRows, type TableFacts } from "../schema/facts.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { isWord } from "../sql/words.ts";
import type { Findings } from "./read_findings.ts";
import {
  type Column,
  type CteState,
  hasCollation,
  type Relation,
  type Scope,
} from "./read_scope.ts";
import type { Expr, QueryTree, Source } from "./read_syntax.ts";
import { kindOfColumn } from "./value_kind.ts";

/** What sources need of the walk around them. */
export interface SourceSurroundings {
  readonly findings: Findings;
  /** Looks through an expression. */
  value(expr: Expr, scope: Scope): void;
  /** Looks through a query that stands in FROM. */
  query(query: QueryTree, scope: Scope): readonly Column[];
  /** The columns of a CTE. */
  cte(state: CteState, scope: Scope): readonly Column[];
  /** The columns of a view. */
  view(table: TableFacts): readonly Column[];
}

const NONE: ReadonlySet<string> = new Set();
const SCHEMA_TABLES: ReadonlySet<string> = new Set(["sqlite_schema", "sqlite_master"]);
const JSON_TABLES: ReadonlySet<string> = new Set(["json_each", "json_tree"]);

/** Looks through what stands in FROM. */
export class SourceWalk {
  readonly #around: SourceSurroundings;

  constructor(around: SourceSurroundings) {
    this.#around = around;
  }

  /** What names see of it. */
  relation(source: Source, scope: Scope): Relation {
    const name = (source.alias ?? source.name).toLowerCase();
    if (source.query !== undefined) return made(name, this.#around.query(source.query, scope));
    if (source.indexed) this.#around.findings.hard.add("INDEXED BY");
    for (const arg of source.args ?? []) this.#around.value(arg, scope);
    const known = source.name.toLowerCase();
    const state = source.schema === undefined && source.args === undefined
      ? scope.env?.find(known)
      : undefined;
    if (state !== undefined) return made(name, this.#around.cte(state, scope));
    return this.#table(source, known, name);
  }

  #table(source: Source, known: string, name: string): Relation {
    const { findings } = this.#around;
    const main = source.schema === undefined || source.schema.toLowerCase() === "main";
    const table = main ? findings.facts.table(known) : undefined;
    if (isOwnTable(known)) findings.refusal ??= source.name;
    if (table === undefined) return this.#foreign(source, known, name);
    if (source.schema !== undefined) findings.unmaskable.add(known);
    if (hasCollation(table.sql)) findings.collates = true;
    if (table.kind === "view") return made(name, this.#around.view(table));
    findings.read(table);
    if (hasLocalRows(table)) findings.hard.add("rows that some nodes may not have");
    if (table.kind === "virtual") this.#virtual(table);
    else if (source.args !== undefined) findings.hard.add("a table with arguments");
    return relationOf(table, name);
  }

  #virtual(table: TableFacts): void {
    const { findings } = this.#around;
    findings.unmaskable.add(table.name.toLowerCase());
    if (isOwnFullText(table)) return;
    findings.hard.add("a virtual table");
    findings.unbounded = true;
  }

  /** What the schema does not tell of. */
  #foreign(source: Source, known: string, name: string): Relation {
    const { findings } = this.#around;
    if (source.args !== undefined && JSON_TABLES.has(known) && source.schema === undefined) {
      return this.#json(source.args, name);
    }
    findings.hard.add(`the table ${source.name}`);
    if (SCHEMA_TABLES.has(known)) findings.tables.add(known);
    else findings.unbounded = true;
    return made(name, []);
  }

  #json(args: readonly Expr[], name: string): Relation {
    const [first] = args;
    if (first?.kind !== "placeholder" && first?.kind !== "value") {
      this.#around.findings.hard.add("JSON that is read by the server");
    }
    const column = (column: string, kind: Column["kind"]): Column => {
      return { name: column, kind, local: NONE };
    };
    const columns = [column("key", "stable"), column("value", "any"), column("type", "text")];
    // The others differ from version to version.
    const hidden = new Set(["atom", "id", "parent", "fullkey", "path", "json", "root"]);
    return { ...made(name, columns), hidden };
  }
}

function made(name: string, columns: readonly Column[]): Relation {
  return { name, columns, hidden: NONE, table: undefined, rowids: undefined };
}

function relationOf(table: TableFacts, name: string): Relation {
  const self = new Set([table.name.toLowerCase()]);
  const visible = table.columns.filter(({ hidden }) => !hidden);
  const columns = visible.map((column): Column => {
    const lower = column.name.toLowerCase();
    return {
      name: lower,
      kind: kindOfColumn(table, column),
      local: table.local.has(lower) ? self : NONE,
    };
  });
  const hidden = table.columns.filter((column) => column.hidden).map((one) =>
    one.name.toLowerCase()
  );
  return { name, columns, hidden: new Set(hidden), table, rowids: rowidsOf(table) };
}

function rowidsOf(table: TableFacts): boolean | undefined {
  if (table.withoutRowid) return undefined;
  return table.kind === "virtual" || table.rowid !== undefined;
}

/** FTS5 with its text in tables of its own; elsewhere the text is whatever that table holds. */
function isOwnFullText({ sql }: TableFacts): boolean {
  const { tokens } = significantTokens(sql);
  const using = tokens.findIndex((token) => isWord(sql, token, "USING"));
  if (using < 0 || !isWord(sql, tokens[using + 1], "FTS5")) return false;
  const view = new TokenView(sql, tokens);
  return !tokens.some((_, i) => view.name(i).toLowerCase() === "content" && view.is(i + 1, "="));
}
