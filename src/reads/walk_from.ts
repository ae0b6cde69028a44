import { hasLocalRows, type TableFacts } from "../schema/facts.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { TokenView } from "../sql/token_view.ts";
import {
  type Column,
  type CteState,
  hasCollation,
  isSingle,
  noteSingle,
  type Relation,
  type Scope,
} from "./scope.ts";
import type { Expr, FromItem } from "./syntax_tree.ts";
import { kindOfColumn } from "./value_kind.ts";
import type { Walk } from "./walk.ts";
import { walkView } from "./walk_view.ts";

const NONE: ReadonlySet<string> = new Set();
const SCHEMA_TABLES: ReadonlySet<string> = new Set(["sqlite_schema", "sqlite_master"]);
const JSON_TABLES: ReadonlySet<string> = new Set(["json_each", "json_tree"]);

/** Looks through what stands in FROM: tables, views, CTEs, queries, table-valued functions. */
export class FromWalk {
  readonly #walk: Walk;

  /** @param walk That of the text. */
  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /** What names see of an item. */
  relation(item: FromItem, scope: Scope): Relation {
    const name = (item.alias ?? item.name).toLowerCase();
    if (item.query !== undefined) {
      const { columns } = this.#walk.query(item.query, scope.ctes, scope.outer, "rows");
      return made(name, columns);
    }
    if (item.indexed) this.#walk.findings.incomparable.add("INDEXED BY");
    for (const arg of item.args ?? []) this.#walk.value(arg, scope);
    const known = item.name.toLowerCase();
    const state = item.schema === undefined && item.args === undefined
      ? scope.ctes?.find(known)
      : undefined;
    if (state !== undefined) return made(name, this.#cte(state, scope));
    return this.#table(item, known, name);
  }

  #table(item: FromItem, known: string, name: string): Relation {
    const { findings } = this.#walk;
    const main = item.schema === undefined || item.schema.toLowerCase() === "main";
    const table = main ? findings.facts.table(known) : undefined;
    if (isOwnTable(known)) findings.refusal ??= item.name;
    if (table === undefined) return this.#foreign(item, known, name);
    if (item.schema !== undefined) findings.unmaskable.add(known);
    if (hasCollation(table.sql)) findings.collates = true;
    if (table.kind === "view") return made(name, walkView(table, this.#walk));
    findings.read(table);
    if (hasLocalRows(table)) findings.incomparable.add("rows that some nodes may not have");
    if (table.kind === "virtual") this.#virtual(table);
    else if (item.args !== undefined) findings.incomparable.add("a table with arguments");
    return relationOf(table, name);
  }

  #virtual(table: TableFacts): void {
    const { findings } = this.#walk;
    findings.unmaskable.add(table.name.toLowerCase());
    if (isOwnFullText(table)) return;
    findings.incomparable.add("a virtual table");
    findings.unbounded = true;
  }

  /** What the schema does not tell of. */
  #foreign(item: FromItem, known: string, name: string): Relation {
    const { findings } = this.#walk;
    if (item.args !== undefined && JSON_TABLES.has(known) && item.schema === undefined) {
      return this.#json(item.args, name);
    }
    findings.incomparable.add(`the table ${item.name}`);
    if (SCHEMA_TABLES.has(known)) findings.tables.add(known);
    else findings.unbounded = true;
    return made(name, []);
  }

  #json(args: readonly Expr[], name: string): Relation {
    const [first] = args;
    if (first?.kind !== "placeholder" && first?.kind !== "value") {
      this.#walk.findings.incomparable.add("JSON that is read by the server");
    }
    const column = (column: string, kind: Column["kind"]): Column => {
      return { name: column, kind, local: NONE };
    };
    const columns = [column("key", "stable"), column("value", "any"), column("type", "text")];
    // The other columns differ from version to version.
    const hidden = new Set(["atom", "id", "parent", "fullkey", "path", "json", "root"]);
    return { ...made(name, columns), hidden };
  }

  /** The columns of a CTE, which is looked through when it is first used. */
  #cte(state: CteState, scope: Scope): readonly Column[] {
    if (state.busy) state.recursive = true;
    if (state.columns !== undefined) return state.columns;
    if (state.busy) {
      this.#walk.findings.incomparable.add("a WITH that is not understood");
      return [];
    }
    state.busy = true;
    const { cte: { query } } = state;
    const [first, ...others] = query.selects;
    if (first !== undefined && others.length > 0) {
      const start = { ...query, selects: [first], order: [], limit: undefined, offset: undefined };
      state.columns = renamed(
        state,
        this.#walk.query(start, state.ctes, scope.outer, "rows").columns,
      );
    }
    const columns = this.#fixedPoint(state, scope);
    state.busy = false;
    return columns;
  }

  /** A recursive one is looked through until what is known of its columns holds. */
  #fixedPoint(state: CteState, scope: Scope): readonly Column[] {
    for (let round = 0;; round++) {
      const { columns } = this.#walk.query(state.cte.query, state.ctes, scope.outer, "rows");
      const before = state.columns;
      const found = renamed(state, columns);
      state.columns = found;
      const same = found.every(({ kind }, i) => kind === before?.[i]?.kind);
      if (!state.recursive || same) return found;
      if (round < 6) continue;
      this.#walk.findings.incomparable.add("a WITH that is not understood");
      return found;
    }
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
  const view = TokenView.of(sql);
  const using = view.find("USING");
  if (using < 0 || !view.isWord(using + 1, "FTS5")) return false;
  return !view.tokens.some((_, i) =>
    view.name(i).toLowerCase() === "content" && view.is(i + 1, "=")
  );
}

function renamed({ cte }: CteState, columns: readonly Column[]): readonly Column[] {
  const own = columns.map((column, i) => ({
    ...column,
    name: cte.columns?.[i]?.toLowerCase() ?? column.name,
  }));
  if (isSingle(columns)) noteSingle(own);
  return own;
}
