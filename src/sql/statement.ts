import type { Param, Params } from "./value.ts";

/** SQL text with its bound values, made by `sql`; nestable, so fragments compose. */
export interface SqlFragment {
  /** The text, with a `?` for each value. */
  readonly sql: string;
  /** The values, in the order of the placeholders. */
  readonly params: readonly Param[];
}

/** One statement of a batch. The tuple is rqlite's own form: `["… ? …", 1, 2]` or `["… :a …", { a: 1 }]`. */
export type Statement =
  | string
  | SqlFragment
  | { readonly sql: string; readonly params?: Params }
  | readonly [sql: string, ...params: Param[]]
  | readonly [sql: string, params: Readonly<Record<string, Param>>];
