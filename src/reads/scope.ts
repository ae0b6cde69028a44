import type { TableFacts } from "../schema/facts.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";
import { TokenView } from "../sql/token_view.ts";
import { affinity } from "../wire/affinity.ts";
import type { Cte, Expr, Window } from "./syntax_tree.ts";
import type { ValueKind } from "./value_kind.ts";

/** A column of something in FROM, or of a result. */
export interface Column {
  /** In lower case. */
  readonly name: string;
  /** What its values are. */
  readonly kind: ValueKind;
  /** The tables whose local column it is; empty for a shared one. */
  readonly local: ReadonlySet<string>;
}

const single: WeakSet<readonly Column[]> = new WeakSet();

/** Notes that a query with these columns answers one row at most. */
export function noteSingle(columns: readonly Column[]): void {
  single.add(columns);
}

/** Whether that was noted. */
export function isSingle(columns: readonly Column[]): boolean {
  return single.has(columns);
}

/** What stands in FROM, as names see it. */
export interface Relation {
  /** The alias or name, in lower case. */
  readonly name: string;
  /** What `*` stands for. */
  readonly columns: readonly Column[];
  /** Other names that it knows. */
  readonly hidden: ReadonlySet<string>;
  /** The table itself, where it is one. */
  readonly table: TableFacts | undefined;
  /** Whether its rowids are the same on all nodes; `undefined` if it has none. */
  readonly rowids: boolean | undefined;
}

/** A name that was found. */
export interface Match {
  /** What has it. */
  readonly relation: Relation;
  /** `undefined` for a hidden column. */
  readonly column: Column | undefined;
  /** Found as `rowid`. */
  readonly rowid: boolean;
}

/** A CTE while it is looked through. */
export interface CteState {
  /** The CTE. */
  readonly cte: Cte;
  /** The WITH that defines it, and those around. */
  readonly ctes: CteScope;
  /** Its columns, as far as they are known. */
  columns: readonly Column[] | undefined;
  /** It is being looked through. */
  busy: boolean;
  /** It names itself. */
  recursive: boolean;
}

/** The tables that WITH clauses around a query define. */
export class CteScope {
  readonly #entries: Map<string, CteState> = new Map();
  readonly #outer: CteScope | undefined;

  /** @param ctes What this WITH defines. */
  constructor(ctes: readonly Cte[], outer: CteScope | undefined) {
    this.#outer = outer;
    for (const cte of ctes) {
      const state = { cte, ctes: this, columns: undefined, busy: false, recursive: false };
      this.#entries.set(cte.name.toLowerCase(), state);
    }
  }

  /** The CTE of a name in lower case. */
  find(name: string): CteState | undefined {
    return this.#entries.get(name) ?? this.#outer?.find(name);
  }
}

/** The names that the expressions of one SELECT know. */
export class Scope {
  /** The CTEs. */
  readonly ctes: CteScope | undefined;
  /** The SELECT around it. */
  readonly outer: Scope | undefined;
  /** What stands in FROM. */
  readonly relations: Relation[] = [];
  /** The result columns by their aliases. */
  readonly aliases: Map<string, Column> = new Map();
  /** The windows by their names. */
  windows: ReadonlyMap<string, Window> = new Map();
  /** Columns are taken note of, as they must be grouped. */
  collecting = false;
  /** How many aggregates or grouped expressions are around. */
  inside = 0;
  /** Columns that stand outside of aggregates. */
  readonly bare: Match[] = [];
  /** The texts of the grouped expressions. */
  readonly grouped: Set<string> = new Set();
  /** An aggregate was seen. */
  aggregated = false;
  /** How many names were found here. */
  uses = 0;

  constructor(ctes: CteScope | undefined, outer: Scope | undefined) {
    this.ctes = ctes;
    this.outer = outer;
  }

  /** The result column that an unqualified name stands for as an alias. */
  aliasOf([name, second]: readonly string[]): Column | undefined {
    return second === undefined ? this.aliases.get(name?.toLowerCase() ?? "") : undefined;
  }

  /** What a name stands for here, not further out. */
  matches(parts: readonly string[]): Match[] {
    const name = parts.at(-1)?.toLowerCase() ?? "";
    const table = parts.at(-2)?.toLowerCase();
    const relations = this.relations.filter((one) => table === undefined || one.name === table);
    const found = relations.flatMap((relation): Match[] => {
      const column = relation.columns.find((one) => one.name === name);
      if (column === undefined && !relation.hidden.has(name)) return [];
      return [{ relation, column, rowid: false }];
    });
    if (found.length > 0 || !ROWID_NAMES.includes(name)) return found;
    return relations.filter(({ rowids }) => rowids !== undefined).map((relation) => ({
      relation,
      column: {
        name: relation.table?.rowid?.toLowerCase() ?? name,
        kind: "integer",
        local: new Set(),
      },
      rowid: true,
    }));
  }

  /** The one column of this FROM that an expression is, and nothing else. */
  columnOf(expr: Expr): { relation: Relation; name: string } | undefined {
    if (expr.kind !== "column") return undefined;
    const [match, second] = this.matches(expr.parts);
    if (match?.column === undefined || second !== undefined) return undefined;
    return { relation: match.relation, name: match.column.name };
  }
}

/**
 * The sets of columns of which a table holds every combination once, by the collations of the columns: an index may
 * have other collations than a column that is declared with one.
 */
export function candidateKeysOf(table: TableFacts): readonly (readonly string[])[] {
  if (table.kind !== "table") return [];
  if (!hasCollation(table.sql)) return table.candidateKeys;
  const integers = new Set(
    table.columns.filter(({ type }) => affinity(type.toLowerCase()) === "integer").map(({ name }) =>
      name.toLowerCase()
    ),
  );
  return table.candidateKeys.filter((names) =>
    names.every((name) => integers.has(name.toLowerCase()))
  );
}

/** Whether a text names a collation. */
export function hasCollation(sql: string): boolean {
  return /collate/i.test(sql) && TokenView.of(sql).find("COLLATE") >= 0;
}
