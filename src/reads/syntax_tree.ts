// What a SELECT is made of, as far as it matters for how it is checked at commit.

/** A range of tokens by their indexes, from `from` up to and without `to`. */
export interface TokenRange {
  /** The first token. */
  readonly from: number;
  /** The token behind the last one. */
  readonly to: number;
}

/** A literal or a placeholder. */
export interface ValueExpr extends TokenRange {
  /** Which of them it is. */
  readonly kind: "value" | "placeholder";
}

/** The name of a column, or of a result column by its alias. */
export interface ColumnExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "column";
  /** The name as written, without quotes, with those of schema and table in front where they are given. */
  readonly parts: readonly string[];
}

/** An operator and its operands, or a list in parentheses. */
export interface OperatorExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "operator";
  /** The operator in upper case, such as `=`, `LIKE` or `unary -`; `row` for a list. */
  readonly name: string;
  /** The operands, in order. */
  readonly operands: readonly Expr[];
}

/** CAST. */
export interface CastExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "cast";
  /** The type in lower case. */
  readonly type: string;
  /** What is cast. */
  readonly operand: Expr;
}

/** COLLATE behind an expression. */
export interface CollateExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "collate";
  /** The collation as written, without quotes. */
  readonly name: string;
  /** What is in front of it. */
  readonly operand: Expr;
}

/** CASE. */
export interface CaseExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "case";
  /** What is compared: the expressions behind CASE and WHEN. */
  readonly tests: readonly Expr[];
  /** What it may answer: the expressions behind THEN and ELSE. */
  readonly values: readonly Expr[];
}

/** What a query in an expression is to it: one value, whether there are rows, or a set of values. */
export type SubqueryUse = "scalar" | "exists" | "set";

/** A query in an expression. */
export interface SubqueryExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "query";
  /** What the expression takes of it. */
  readonly use: SubqueryUse;
  /** The query. */
  readonly query: QueryTree;
}

/** A call of a function. */
export interface CallExpr extends TokenRange {
  /** Tells it from the other expressions. */
  readonly kind: "call";
  /** The function in lower case, without quotes. */
  readonly name: string;
  /** The arguments; none for `*`. */
  readonly args: readonly Expr[];
  /** `ORDER BY` among the arguments. */
  readonly order: readonly OrderTerm[];
  /** The condition of FILTER. */
  readonly filter: Expr | undefined;
  /** What follows OVER: the name of a window, in lower case, or the window itself. */
  readonly over: Window | string | undefined;
}

/** An expression. */
export type Expr =
  | ValueExpr
  | ColumnExpr
  | OperatorExpr
  | CastExpr
  | CollateExpr
  | CaseExpr
  | SubqueryExpr
  | CallExpr;

/** A window as it is written behind OVER or in a WINDOW clause. */
export interface Window {
  /** The name of the window that this one adds to. */
  readonly base: string | undefined;
  /** The expressions of PARTITION BY. */
  readonly partition: readonly Expr[];
  /** The terms of ORDER BY. */
  readonly order: readonly OrderTerm[];
  /** ROWS, RANGE or GROUPS are given. */
  readonly frame: boolean;
}

/** A term of ORDER BY. Its direction does not matter here. */
export interface OrderTerm {
  /** What is sorted by. */
  readonly expr: Expr;
}

/** A result column that is an expression. */
export interface ExprItem extends TokenRange {
  /** Tells it from `*`. */
  readonly kind: "expr";
  /** The expression; the range is its, too. */
  readonly expr: Expr;
  /** Its alias as written, without quotes. */
  readonly alias: string | undefined;
}

/** `*` or `table.*`. */
export interface StarItem extends TokenRange {
  /** Tells it from an expression. */
  readonly kind: "star";
  /** The table in front of it as written, without quotes. */
  readonly table: string | undefined;
}

/** What stands between SELECT and FROM, from comma to comma. */
export type SelectItem = ExprItem | StarItem;

/** A table, view, CTE, query or table-valued function in FROM. */
export interface FromItem {
  /** The schema as written, without quotes. */
  readonly schema: string | undefined;
  /** The table's or the function's name as written, without quotes; "" for a query. */
  readonly name: string;
  /** Its alias as written, without quotes. */
  readonly alias: string | undefined;
  /** The query, where it is one. */
  readonly query: QueryTree | undefined;
  /** The arguments of a table-valued function. */
  readonly args: readonly Expr[] | undefined;
  /** INDEXED BY or NOT INDEXED. */
  readonly indexed: boolean;
}

/** FROM and what joins its items. */
export interface FromClause {
  /** The items, in order. */
  readonly from: readonly FromItem[];
  /** The conditions behind ON. */
  readonly conditions: readonly Expr[];
  /** The names in USING. */
  readonly using: readonly string[];
  /** Something is joined by NATURAL. */
  readonly natural: boolean;
}

/** One SELECT of a query, or VALUES. */
export interface Select extends FromClause {
  /** DISTINCT is given. */
  readonly distinct: boolean;
  /** The result columns. */
  readonly items: readonly SelectItem[];
  /** The condition of WHERE. */
  readonly where: Expr | undefined;
  /** The terms of GROUP BY. */
  readonly groups: readonly Expr[];
  /** The condition of HAVING. */
  readonly having: Expr | undefined;
  /** The windows of WINDOW, by their names in lower case. */
  readonly windows: ReadonlyMap<string, Window>;
  /** The rows of VALUES; `undefined` for a SELECT. */
  readonly rows: readonly (readonly Expr[])[] | undefined;
}

/** One table of a WITH. */
export interface Cte {
  /** Its name as written, without quotes. */
  readonly name: string;
  /** The names of its columns, where they are given. */
  readonly columns: readonly string[] | undefined;
  /** What it stands for. */
  readonly query: QueryTree;
}

/** A query with everything around its SELECTs. */
export interface QueryTree extends TokenRange {
  /** The tables of its WITH. */
  readonly ctes: readonly Cte[];
  /** Its SELECTs; more than one in a compound. */
  readonly selects: readonly Select[];
  /** Its SELECTs are joined by UNION ALL, so that every row stays. */
  readonly all: boolean;
  /** The terms of ORDER BY. */
  readonly order: readonly OrderTerm[];
  /** How many rows it answers at most. */
  readonly limit: Expr | undefined;
  /** How many rows it skips. */
  readonly offset: Expr | undefined;
}

/** A SELECT of nothing. */
export const EMPTY_SELECT: Select = {
  distinct: false,
  items: [],
  from: [],
  conditions: [],
  using: [],
  natural: false,
  where: undefined,
  groups: [],
  having: undefined,
  windows: new Map(),
  rows: undefined,
};

/** `SELECT * FROM` a table, which `t` means in `x IN t`; `range` is that of `t`. */
export function allOf(schema: string | undefined, name: string, range: TokenRange): QueryTree {
  const item = {
    schema,
    name,
    alias: undefined,
    query: undefined,
    args: undefined,
    indexed: false,
  };
  const items: SelectItem[] = [{ kind: "star", table: undefined, ...range }];
  const selects = [{ ...EMPTY_SELECT, items, from: [item] }];
  return { ...range, ctes: [], selects, all: true, order: [], limit: undefined, offset: undefined };
}
