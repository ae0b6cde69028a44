import type { Facts, TableFacts } from "../schema/facts.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { ParsedQuery } from "./parse_query.ts";
import type { Column, CteScope, Scope } from "./scope.ts";
import type { Expr, QueryTree, SubqueryUse } from "./syntax_tree.ts";
import type { ValueKind } from "./value_kind.ts";

/** A view that may have to be put in the text. */
export interface InlinedView {
  /** What is known of it. */
  readonly facts: TableFacts;
  /** Its SELECT, the time in it frozen. */
  readonly body: string;
  /** It tells the time, by itself or by a view below it. */
  readonly timed: boolean;
}

/** What is gathered while a read is looked through. */
export class Findings {
  /** The schema. */
  readonly facts: Facts;
  /** The tables that are read, in lower case, also through views. */
  readonly tables: Set<string> = new Set();
  /** The views, by their names in lower case. */
  readonly views: Map<string, InlinedView> = new Map();
  /** Tables that a CTE of their name cannot stand in for, as they are used in this read. */
  readonly unmaskable: Set<string> = new Set();
  /** Why the text cannot be compared on every node, whatever stands in for local columns. */
  readonly incomparable: Set<string> = new Set();
  /** Rows are told apart by a collation, so which text stands for its equals is the planner's choice. */
  groups = false;
  /** A collation other than BINARY plays a part. */
  collates = false;
  /** It reads what no table's name stands for. */
  unbounded = false;
  /** What nobody can check. */
  refusal: string | undefined;
  /** How many columns were named so far. */
  columns = 0;
  /** A view tells the time, so what is known of the read is of one moment. */
  timed = false;
  /** How many views are around. */
  depth = 0;
  #local: Set<string> = new Set();

  /** @param facts The schema. */
  constructor(facts: Facts) {
    this.facts = facts;
  }

  /** The tables whose local columns do more than to be a result column. */
  get local(): ReadonlySet<string> {
    return this.#local;
  }

  /** Takes note of all that is read by a table or view. */
  read({ reads }: TableFacts): void {
    for (const name of reads) {
      if (name === "*") this.unbounded = true;
      else this.tables.add(name.toLowerCase());
    }
  }

  /** Takes note of local columns of these tables. */
  useLocal(tables: Iterable<string>): void {
    for (const table of tables) this.#local.add(table);
  }

  /** The tables whose local columns a step used. */
  during(step: () => void): ReadonlySet<string> {
    const before = this.#local;
    this.#local = new Set();
    step();
    const used = this.#local;
    this.#local = before;
    this.useLocal(used);
    return used;
  }
}

/** What is asked outside of a walk. */
export interface WalkContext {
  /** What the value of the placeholder is that begins at an offset. */
  kindOfPlaceholder(start: number): ValueKind;
  /** Replaces the present time in the text of a view; without it such a view is judged. */
  readonly freezeText: ((sql: string) => string) | undefined;
}

/** A query that was looked through. */
export interface WalkedQuery {
  /** Its result columns. */
  readonly columns: readonly Column[];
  /** What the names in its ORDER BY know; `undefined` for a compound. */
  readonly scope: Scope | undefined;
}

/** Looks through one text, the read's own or that of a view; what its parts need of each other. */
export interface Walk {
  /** What is gathered, also of the views. */
  readonly findings: Findings;
  /** The tokens of the text. */
  readonly view: TokenView;
  /** What is asked outside. */
  readonly context: WalkContext;
  /** Looks through an expression that decides something or is computed with. */
  value(expr: Expr, scope: Scope): ValueKind;
  /** Looks through a query of this text. */
  query(
    query: QueryTree,
    ctes: CteScope | undefined,
    outer: Scope | undefined,
    use: "rows" | SubqueryUse,
  ): WalkedQuery;
  /** Looks through a text of its own, which knows nothing of what is around it, and answers its columns. */
  text(text: ParsedQuery): readonly Column[];
}
