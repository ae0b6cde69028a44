import { INSPECT, shown } from "../calls/shown.ts";
import { called } from "../calls/error_stacks.ts";
import {
  addCounts,
  type Chunk,
  cut,
  inRows,
  REQUEST,
  type Rows,
  WHOLE,
} from "../client/request_rows.ts";
import { DatabaseError, InterfaceError, ProgrammingError } from "../errors.ts";
import { analyse } from "../sql/analyse.ts";
import { sqlAndParams, statementOf } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Value } from "../sql/value.ts";
import type { ColumnDescription, Connection, Cursor } from "./connection.ts";
import type { ConnectionState } from "./connection_state.ts";
import { ManyPlan } from "./execute_many.ts";
import { readControl, type TransactionControl } from "./transaction_control.ts";

/** The {@linkcode Cursor}: the rows of one result, and the place in it. */
export class DefaultCursor implements Cursor {
  readonly #state: ConnectionState;
  readonly #connection: Connection;
  #closed = false;
  #arraySize = 1;
  #rows: Value[][] | undefined;
  #at = 0;
  #description: readonly ColumnDescription[] | null = null;
  #rowCount = -1;
  /** Of what was executed last; looking at its id is for the caller, as a transaction checks an id that was looked at. */
  #last: Pick<Result, "lastInsertId"> | undefined;

  /** Sends nothing. */
  constructor(state: ConnectionState, connection: Connection) {
    this.#state = state;
    this.#connection = connection;
  }

  /** The one that made it. */
  get connection(): Connection {
    return this.#connection;
  }

  /** The columns of the result; `null` where there is none. */
  get description(): readonly ColumnDescription[] | null {
    return this.#description;
  }

  /** Rows that were changed; -1 where nobody counts. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** The rowid of the row inserted last. */
  get lastRowId(): number | bigint | null {
    return this.#last?.lastInsertId ?? null;
  }

  /** How many rows are fetched where nothing else is said. */
  get arraySize(): number {
    return this.#arraySize;
  }

  set arraySize(size: number) {
    if (!(Number.isInteger(size) && size >= 1)) {
      throw new RangeError(
        `Cannot use \`arraySize\` as it must be an integer from 1 on: current value is ${size}`,
      );
    }
    this.#arraySize = size;
  }

  /** Runs a statement. */
  execute(sql: string | SqlFragment, params?: Params): Promise<this> {
    return called(() => this.#execute(sql, params));
  }

  /** Runs a write once for each row of values. */
  executeMany(sql: string | SqlFragment, rows: Rows): Promise<this> {
    return called(() => this.#executeMany(sql, rows));
  }

  /** The next row; `null` behind the last. */
  fetchOne(): Promise<Value[] | null> {
    return called(() => this.#fetch(1)[0] ?? null);
  }

  /** The next rows. */
  fetchMany(size: number = this.#arraySize): Promise<Value[][]> {
    return called(() => {
      if (!(Number.isInteger(size) && size >= 0)) {
        throw new RangeError(
          `Cannot use \`size\` as it must be an integer from 0 on: current value is ${size}`,
        );
      }
      return this.#fetch(size);
    });
  }

  /** All rows that are left. */
  fetchAll(): Promise<Value[][]> {
    return called(() => this.#fetch(Infinity));
  }

  /** The rows that are left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Value[]> {
    for (let row = await this.fetchOne(); row !== null; row = await this.fetchOne()) yield row;
  }

  /** Does nothing. */
  setInputSizes(_sizes: readonly unknown[]): void {}

  /** Does nothing. */
  setOutputSize(_size: number, _column?: number): void {}

  /** Drops the result. */
  close(): Promise<void> {
    this.#closed = true;
    this.#forget();
    return Promise.resolve();
  }

  /** Closes the cursor. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #execute(statement: string | SqlFragment, values: Params | undefined): Promise<this> {
    this.#start();
    const { sql, params } = sqlAndParams(statementOf(statement, values));
    const control = readControl(sql);
    if (control === undefined) this.#take(await this.#state.execute(sql, params), sql);
    else await this.#control(control, sql, params);
    return this;
  }

  async #executeMany(statement: string | SqlFragment, rows: Rows): Promise<this> {
    this.#start();
    const sql = textOf(statement);
    const plan = new ManyPlan(sql);
    const whole = !this.#state.autocommit || this.#state.inTransaction;
    let applied = 0;
    this.#rowCount = 0;
    const chunks = cut(plan, rows, whole ? WHOLE : REQUEST);
    try {
      for await (const chunk of chunks) {
        const results = await this.#send(plan, chunk, applied);
        this.#rowCount = addCounts(this.#rowCount, results);
        this.#last = results.at(-1);
        applied += chunk.rows;
      }
    } catch (error) {
      if (whole) this.#rowCount = 0;
      else if (error instanceof DatabaseError) Object.assign(error, { rowsApplied: applied });
      throw error;
    }
    return this;
  }

  /** How it is printed. */
  [INSPECT](): string {
    const columns = this.#description?.map(([name]) => name) ?? null;
    return shown("Cursor", { columns, rowCount: this.#rowCount, closed: this.#closed });
  }

  /** Begins a statement: whatever becomes of it, the rows of the one before are gone. */
  #start(): void {
    this.#check();
    this.#forget();
  }

  #check(): void {
    this.#state.check();
    if (this.#closed) {
      throw new InterfaceError("The cursor is closed: connection.cursor() makes another one");
    }
  }

  #forget(): void {
    this.#rows = undefined;
    this.#at = 0;
    this.#description = null;
    this.#rowCount = -1;
    this.#last = undefined;
  }

  async #control(
    control: TransactionControl,
    sql: string,
    params: Params | undefined,
  ): Promise<void> {
    const given = params === undefined ? 0 : Object.keys(params).length;
    if (given > 0) {
      throw new ProgrammingError(
        `Cannot bind ${given} values as the statement has 0 placeholders`,
        { sql },
      );
    }
    await this.#state.control(control);
  }

  #take(result: Result<Value[]>, sql: string): void {
    const { columns, types, rows, rowsAffected } = result;
    const writes = analyse(sql).kind === "write";
    this.#rowCount = writes ? rowsAffected : -1;
    this.#last = result;
    if (columns.length === 0) return;
    this.#rows = rows;
    this.#description = columns.map((name, i): ColumnDescription => [
      name,
      types[i] || null,
      ...[null, null, null, null, null] as const,
    ]);
  }

  async #send(plan: ManyPlan, chunk: Chunk, before: number): Promise<Result[]> {
    try {
      return await this.#state.batch(chunk.statements);
    } catch (error) {
      throw inRows(error, plan, chunk, before);
    }
  }

  #fetch(size: number): Value[][] {
    this.#check();
    if (this.#rows === undefined) {
      throw new ProgrammingError(
        "Cannot fetch as there is no result: execute a statement that answers rows first",
      );
    }
    const rows = this.#rows.slice(this.#at, this.#at + size);
    this.#at += rows.length;
    return rows;
  }
}

/** The rows bring the values: a fragment may only say where they go. */
function textOf(statement: string | SqlFragment): string {
  const { sql, params } = sqlAndParams(statement);
  if (params === undefined || Object.keys(params).length === 0) return sql;
  throw new TypeError(
    "Cannot take a fragment with values for many rows, as each row brings its own: write ? for them",
  );
}
