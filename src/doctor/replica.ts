import type { Backend } from "../calls/backend.ts";
import { firstError, readResults } from "../calls/read_results.ts";
import type { CallContext } from "../calls/call_context.ts";
import { DatabaseError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";

/** What every question to a node is sent with. */
export interface Asking extends CallContext {
  /** What reaches the nodes. */
  readonly connection: Backend;
}

/** What a node tells of itself, as far as it tells it. */
export interface NodeStatus {
  /** Its name in the cluster. */
  readonly id: string | undefined;
  /** The last entry of the log that its database has. */
  readonly index: number;
  /** The version of rqlite. */
  readonly version: string | undefined;
  /** The version of SQLite. */
  readonly sqlite: string | undefined;
  /** How its SQLite was built, as `PRAGMA compile_options` tells. */
  readonly compileOptions: readonly string[];
  /** The settings, by their names, of the connection that writes. */
  readonly pragmas: Readonly<Record<string, unknown>>;
}

/** A table was changed or dropped while it was read. */
export class SchemaChanged extends DatabaseError {}

/** One node, asked for what it has itself. */
export class Replica {
  /** Its address. */
  readonly name: string;
  readonly #node: string | undefined;
  readonly #asking: Asking;

  /** @param node Where to ask it; the only node of a cluster is asked wherever the client asks. */
  constructor(name: string, node: string | undefined, asking: Asking) {
    this.name = name;
    this.#node = node;
    this.#asking = asking;
  }

  /**
   * The rows of several reads, in one snapshot of its database.
   *
   * @throws {SchemaChanged} If a table or a column is not there.
   */
  async read(statements: readonly Prepared[]): Promise<unknown[][][]> {
    const { connection, settings, deadline } = this.#asking;
    const reply = await connection.dispatcher.read({
      statements,
      transaction: true,
      settings,
      deadline,
      node: this.#node,
    });
    const failed = firstError(reply, statements);
    if (failed >= 0) throw this.#problem(reply.answer.errorAt(reply.first + failed) ?? "no reason");
    return readResults(reply, statements, settings, -1, {}).map(({ rows }) =>
      // The settings ask for rows as arrays.
      rows as unknown[] as unknown[][]
    );
  }

  #problem(said: string): DatabaseError {
    const Problem = /^no such (?:table|column)/.test(said) ? SchemaChanged : DatabaseError;
    return new Problem(`Cannot tell whether the nodes are equal: ${this.name} says ${said}`);
  }

  /** What it tells of itself. @param deadline Of this question. */
  async status(deadline: Deadline = this.#asking.deadline): Promise<NodeStatus> {
    const { build, store } = await this.#asking.connection.ask(
      deadline,
      (cluster, end) => cluster.status(end, this.#node),
    );
    const { node_id, fsm_index, sqlite3 } = recordOf(store);
    const { version, compile_options, pragmas } = recordOf(sqlite3);
    return {
      id: textOf(node_id),
      index: Number(fsm_index ?? 0),
      version: textOf(recordOf(build).version),
      sqlite: textOf(version),
      compileOptions: Array.isArray(compile_options) ? compile_options.map(String) : [],
      pragmas: recordOf(recordOf(pragmas).rw),
    };
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
