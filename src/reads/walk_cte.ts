import type { Findings } from "./read_findings.ts";
import {
  type Column,
  type CteState,
  type Env,
  isSingle,
  noteSingle,
  type Scope,
} from "./read_scope.ts";
import type { QueryTree } from "./read_syntax.ts";

/** Looks through a query. */
type Walk = (query: QueryTree, env: Env, outer: Scope | undefined) => readonly Column[];

/** Looks through the tables that WITH defines, when they are first used. */
export class CteWalk {
  readonly #findings: Findings;
  readonly #query: Walk;

  constructor(findings: Findings, query: Walk) {
    this.#findings = findings;
    this.#query = query;
  }

  /** Its columns. */
  columns(state: CteState, scope: Scope): readonly Column[] {
    if (state.busy) state.recursive = true;
    if (state.columns !== undefined) return state.columns;
    if (state.busy) {
      this.#findings.hard.add("a WITH that is not understood");
      return [];
    }
    state.busy = true;
    const { cte: { query } } = state;
    const [first, ...others] = query.selects;
    if (first !== undefined && others.length > 0) {
      const start = { ...query, selects: [first], order: [], limit: undefined, offset: undefined };
      state.columns = renamed(
        state,
        this.#query(start, state.env, scope.outer),
      );
    }
    this.#settle(state, scope);
    state.busy = false;
    return state.columns!;
  }

  /** A recursive one is looked through until what is known of its columns holds. */
  #settle(state: CteState, scope: Scope): void {
    for (let round = 0;; round++) {
      const columns = this.#query(state.cte.query, state.env, scope.outer);
      const before = state.columns;
      state.columns = renamed(state, columns);
      const same = state.columns.every(({ kind }, i) => kind === before?.[i]?.kind);
      if (!state.recursive || same) return;
      if (round < 6) continue;
      this.#findings.hard.add("a WITH that is not understood");
      return;
    }
  }
}

function renamed({ cte }: CteState, columns: readonly Column[]): readonly Column[] {
  const own = columns.map((column, i) => ({
    ...column,
    name: cte.columns?.[i]?.toLowerCase() ?? column.name,
  }));
  if (isSingle(columns)) noteSingle(own);
  return own;
}
