import type { NamedParams, Param, Params, Result } from "./value.ts";

/** SQL text with its bound values, made by `sql`; nestable, so fragments compose. */
export interface SqlFragment {
  /** The text, with a `?` for each value. */
  readonly sql: string;
  /** The values, in the order of the placeholders. */
  readonly params: readonly Param[];
}

/**
 * One statement of a batch. The tuple is rqlite's own form: `["… ? …", 1, 2]` or `["… :a …", { a: 1 }]`. The last form is
 * what TypeScript takes such a tuple for where `map` makes it; it has to begin with the text, too.
 */
export type Statement =
  | string
  | SqlFragment
  | { readonly sql: string; readonly params?: Params | undefined }
  | readonly [sql: string, ...params: Param[]]
  | readonly [sql: string, params: Readonly<Record<string, Param>> | NamedParams]
  | readonly (Param | Readonly<Record<string, Param>> | NamedParams)[];

/** What the statements of a batch answer: a tuple where they are one. */
export type Results<Statements extends readonly Statement[]> = {
  -readonly [I in keyof Statements]: Result;
};
