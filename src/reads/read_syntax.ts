/**
 * What a SELECT is made of, as far as it matters for how it is checked at commit.
 *
 * @module
 */

/** A piece of the text by the indexes of its tokens, from `from` up to and without `to`. */
export interface Piece {
  /** The first token. */
  readonly from: number;
  /** The token behind it. */
  readonly to: number;
}

/** A call of a function. */
export interface Call extends Piece {
  readonly kind: "call";
  /** In lower case, without quotes. */
  readonly name: string;
  readonly args: readonly Expr[];
  /** `ORDER BY` among the arguments. */
  readonly order: readonly Term[];
  readonly filter: Expr | undefined;
  /** What follows OVER; the name of a window or the window itself. */
  readonly over: Window | string | undefined;
}

/** A window as it is written behind OVER or in a WINDOW clause. */
export interface Window {
  readonly base: string | undefined;
  readonly partition: readonly Expr[];
  readonly order: readonly Term[];
  /** ROWS, RANGE or GROUPS are given. */
  readonly frame: boolean;
}

/** An expression. */
export type Expr =
  | (Piece & { readonly kind: "value" | "placeholder" })
  | (Piece & { readonly kind: "column"; readonly parts: readonly string[] })
  | Call
  | (Piece & {
    readonly kind: "operator";
    readonly name: string;
    readonly operands: readonly Expr[];
  })
  | (Piece & { readonly kind: "cast"; readonly type: string; readonly operand: Expr })
  | (Piece & { readonly kind: "collate"; readonly name: string; readonly operand: Expr })
  | (Piece & {
    readonly kind: "case";
    readonly tests: readonly Expr[];
    readonly values: readonly Expr[];
  })
  | (Piece & {
    readonly kind: "query";
    readonly use: "scalar" | "exists" | "set";
    readonly query: QueryTree;
  });

/** A term of ORDER BY. */
export interface Term {
  readonly expr: Expr;
}

/** A result column: an expression, or `*`, or `table.*`. */
export type Item =
  | (Piece & { readonly kind: "expr"; readonly expr: Expr; readonly alias: string | undefined })
  | (Piece & { readonly kind: "star"; readonly table: string | undefined });

/** What stands in FROM. */
export interface Source {
  readonly schema: string | undefined;
  /** The table's or the function's name as written, without quotes; "" for a sub-select. */
  readonly name: string;
  readonly alias: string | undefined;
  readonly query: QueryTree | undefined;
  /** The arguments of a table-valued function. */
  readonly args: readonly Expr[] | undefined;
  /** INDEXED BY or NOT INDEXED. */
  readonly indexed: boolean;
}

/** One SELECT of a query, or VALUES. */
export interface Select {
  readonly distinct: boolean;
  readonly items: readonly Item[];
  readonly sources: readonly Source[];
  readonly conditions: readonly Expr[];
  /** The names in USING. */
  readonly using: readonly string[];
  readonly natural: boolean;
  readonly where: Expr | undefined;
  readonly groups: readonly Expr[];
  readonly having: Expr | undefined;
  readonly windows: ReadonlyMap<string, Window>;
  /** The rows of VALUES. */
  readonly rows: readonly (readonly Expr[])[] | undefined;
}

/** One table of a WITH. */
export interface Cte {
  readonly name: string;
  readonly columns: readonly string[] | undefined;
  readonly query: QueryTree;
}

/** A query with everything around its SELECTs. */
export interface QueryTree extends Piece {
  readonly ctes: readonly Cte[];
  readonly selects: readonly Select[];
  /** Its SELECTs are joined by UNION ALL, so that every row stays. */
  readonly all: boolean;
  readonly order: readonly Term[];
  readonly limit: Expr | undefined;
  readonly offset: Expr | undefined;
}

/** A SELECT of nothing. */
export const NOTHING: Select = {
  distinct: false,
  items: [],
  sources: [],
  conditions: [],
  using: [],
  natural: false,
  where: undefined,
  groups: [],
  having: undefined,
  windows: new Map(),
  rows: undefined,
};

/** `SELECT * FROM` a table, as which the piece `t` of `x IN t` is meant. */
export function allOf(schema: string | undefined, name: string, piece: Piece): QueryTree {
  const source = {
    schema,
    name,
    alias: undefined,
    query: undefined,
    args: undefined,
    indexed: false,
  };
  const items: Item[] = [{ kind: "star", table: undefined, ...piece }];
  const selects = [{ ...NOTHING, items, sources: [source] }];
  return { ...piece, ctes: [], selects, all: true, order: [], limit: undefined, offset: undefined };
}

/** Thrown and caught while a text is read: it is not what is understood here. */
export class Unreadable extends Error {}
