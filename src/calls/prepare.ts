import { prepare, type PrepareOptions } from "../sql/prepare_frozen.ts";
import type { Prepared } from "../sql/prepare.ts";
import { withReturning } from "../sql/returning.ts";
import type { Statement } from "../sql/statement.ts";
import type { Backend } from "./backend.ts";

/** Refuses what must not be sent; puts values and SQL into the form that every server understands. */
export function prepareFor(
  { returningRewrite }: Backend,
  statement: Statement,
  options: PrepareOptions,
): Prepared {
  const prepared = prepare(statement, options);
  return returningRewrite ? withReturning(prepared) : prepared;
}
