import type { Dispatcher } from "../calls/dispatch.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import type { CallContext } from "../calls/call_context.ts";
import { own, ownBatch } from "./own_statements.ts";
import { tableOf } from "./written_tables.ts";

/**
 * The result without an id that is none: after an INSERT into a table without rowids the server sends the number of an
 * earlier one into another table.
 */
export function withoutStaleId(
  result: Result,
  { analysis }: Prepared,
  facts: Facts,
): Result {
  const told = result.lastInsertId !== undefined;
  const stale = told && tableOf(analysis.table, facts)?.withoutRowid;
  return stale ? { ...result, lastInsertId: undefined } : result;
}

/** Which tables have rowids, for an account that may not read the schema: it may still let a node compile a statement. */
export class Rowids {
  readonly #dispatcher: Dispatcher;
  readonly #known: Map<string, boolean> = new Map();

  /** Sends nothing yet. */
  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** The result without an id that may be none. Never throws: the write was applied. */
  async checked(
    result: Result,
    statement: Prepared,
    facts: Facts | undefined,
    call: CallContext,
  ): Promise<Result> {
    const { table } = statement.analysis;
    if (result.lastInsertId === undefined || table === undefined) return result;
    if (facts !== undefined && tableOf(table, facts) !== undefined) {
      return withoutStaleId(result, statement, facts);
    }
    if (!this.#known.has(table)) {
      const has = await this.#ask(table, call).catch(() => undefined);
      if (has !== undefined) this.#known.set(table, has);
    }
    return this.#known.get(table) ? result : { ...result, lastInsertId: undefined };
  }

  async #ask(table: string, call: CallContext): Promise<boolean> {
    const statements = [own(`SELECT _rowid_ FROM ${table} WHERE 0`)];
    const { answer, first } = await this.#dispatcher.write(ownBatch(statements, call, false));
    return answer.errorAt(first) === undefined;
  }
}
