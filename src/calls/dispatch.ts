import type { Prepared } from "../sql/prepare.ts";
import { OperationalError, OutcomeUnknownError, StaleReadError } from "../errors.ts";
import { copyOf } from "../transport/failures.ts";
import type { Deadline } from "../time/deadline.ts";
import type { HttpAnswer, Transport, Verdict } from "../transport/transport.ts";
import { encode } from "../wire/encode.ts";
import { type Flags, path } from "../wire/request_path.ts";
import { Capabilities } from "./capabilities.ts";
import type { Level } from "./executor.ts";
import { accepted, type Batch, type ExpectedAnswer, READ_STRONG, type Reply } from "./request.ts";
import { Late } from "../late.ts";
import { commitsIn, selectCommits } from "./logged_commits.ts";
import { SecondLook } from "./second_look.ts";
import { readIn } from "./session.ts";
import { SharedReads } from "./shared_reads.ts";

/**
 * In front of reads from tables in the same request: reading the schema makes the connection notice a change of it.
 * Otherwise the first read after DDL has the old column names and declared types over the new values, and the server
 * converts those by the old types: see `docs/internals/server.md`.
 */
const REFRESH_SCHEMA: readonly string[] = ["SELECT 1 FROM sqlite_schema LIMIT 1"];

const NOTHING: readonly string[] = [];

/** How long a linearizable read may wait on the server before it is repeated as a strong one, in milliseconds. */
const LINEARIZABLE_WAIT = 1000;

/** What every data request carries: exact BLOBs, and statements left as they were written. */
const EXACT: Flags = { blob_array: true, norwrandom: true, norwtime: true };

/**
 * The same where no rows of RETURNING can be lost by it. Before 10.2.7 `/db/query` and `/db/request` take
 * `norwrandom` for its opposite: STRICT is lost, a column has the name of a number.
 */
const UNPARSED: Flags = { ...EXACT, noparse: true };

/** The one place where calls become requests. */
export class Dispatcher {
  readonly #transport: Transport;
  readonly #capabilities: Capabilities;
  readonly #look: SecondLook = new SecondLook();
  readonly #shared: SharedReads = new SharedReads((batch) => this.#read(batch));
  readonly #exact = (batch: Batch): Promise<Reply> =>
    this.#shared.takes(batch) ? this.#shared.read(batch) : this.#read(batch);

  /** Sends nothing yet. */
  constructor(transport: Transport) {
    this.#transport = transport;
    this.#capabilities = new Capabilities(transport);
  }

  /** What is known of the server. */
  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Runs statements that only read, by `/db/query`. */
  read(batch: Batch): Promise<Reply> {
    return batch.exact === true
      ? this.#look.take(batch, (batch) => this.#inSession(batch, this.#exact), true)
      : this.#inSession(batch, (batch) => this.#read(batch));
  }

  #inSession(batch: Batch, send: (batch: Batch) => Promise<Reply>): Promise<Reply> {
    const { session } = batch.settings;
    return session === undefined ? send(batch) : readIn(session, batch, send);
  }

  #read(batch: Batch): Promise<Reply> {
    const { level } = batch.settings;
    if (level === "linearizable") return this.#linearizable(batch);
    return level === "none" || level === "auto"
      ? this.#fresh(batch, level)
      : this.#query(batch, level);
  }

  async #linearizable(batch: Batch): Promise<Reply> {
    if (!this.#capabilities.lacksLinearizable) {
      const reply = await this.#query(batch, "linearizable");
      const real = this.#capabilities.hasLinearizable(batch.deadline);
      if ((real === true || await real) && reply !== READ_STRONG) return reply;
    }
    return await this.#query(batch, "strong");
  }

  /** Steps up to the leader where the node that was asked is staler than the caller wants. */
  async #fresh(batch: Batch, level: "none" | "auto"): Promise<Reply> {
    try {
      return await this.#query(batch, level);
    } catch (stale) {
      // One that was named speaks for itself.
      if (batch.node !== undefined || !(stale instanceof StaleReadError)) throw stale;
      try {
        return await this.#query(batch, "weak");
      } catch (cause) {
        if (batch.deadline.signal?.aborted) throw cause;
        const why = cause instanceof Error ? cause.message : "";
        throw copyOf(stale, `${stale.message}, and the leader could not do it: ${why}`, cause);
      }
    }
  }

  /** Runs statements that change data, by `/db/execute`: in a transaction an error undoes them all. */
  write(batch: Batch): Promise<Reply> {
    const returning = batch.statements.some(({ analysis }) => analysis.returning);
    // Before 9.2 /db/execute sends the BLOBs of RETURNING as base64, like text; /db/request does not.
    if (returning && !this.#capabilities.returningAborts) return this.mixed(batch);
    return this.#send(batch, "/db/execute", true);
  }

  /**
   * Runs a list that begins with its own id: copies of it are refused, so it may be sent again.
   *
   * @param mixed By `/db/request`, for the rows of reads; otherwise by `/db/execute`.
   */
  commit(batch: Batch, mixed = false): Promise<Reply> {
    return this.#send(batch, mixed ? "/db/request" : "/db/execute", true, true);
  }

  /** Runs reads and writes in one list, by `/db/request`; it commits in spite of a statement that does not compile. */
  mixed(batch: Batch): Promise<Reply> {
    return this.#send(batch, "/db/request", true);
  }

  /** Runs a list that ends in a failing statement, by `/db/request`: nothing is kept, so a repeat is harmless. */
  speculate(batch: Batch): Promise<Reply> {
    const send = (batch: Batch) => this.#send(batch, "/db/request", false);
    return batch.exact === true ? this.#look.take(batch, send, false) : send(batch);
  }

  #query(batch: Batch, level: Exclude<Level, "linearizable">): Promise<Reply>;
  #query(batch: Batch, level: Level): Promise<Reply | typeof READ_STRONG>;
  #query(batch: Batch, level: Level): Promise<Reply | typeof READ_STRONG> {
    const { statements, transaction, settings, texts, commits } = batch;
    const refreshes = !batch.aware && statements.some(readsTables);
    const refresh = refreshes ? REFRESH_SCHEMA : NOTHING;
    const prefix = commits === undefined ? refresh : [...refresh, selectCommits(commits)];
    const linearizable = level === "linearizable";
    return this.#exchange(batch, {
      path: path("/db/query", {
        ...UNPARSED,
        level,
        transaction: transaction || commits !== undefined,
        timings: batch.timed,
        db_timeout: timeOf(batch, level === "strong"),
        linearizable_timeout: linearizable ? LINEARIZABLE_WAIT : undefined,
        freshness: settings.freshness,
        freshness_strict: settings.freshnessStrict,
      }),
      body: encode(statements, prefix, texts),
      leader: level !== "none" && level !== "auto",
      repeatable: true,
      first: prefix.length,
    }, { write: false, linearizable, results: prefix.length + statements.length });
  }

  #send(
    batch: Batch,
    endpoint: string,
    write: boolean,
    repeatable = !write,
  ): Promise<Reply> {
    const { statements, transaction } = batch;
    return this.#exchange(batch, {
      path: path(endpoint, {
        ...this.#flags(endpoint, statements),
        transaction,
        // Nodes that end a write at different times would differ for ever.
        db_timeout: write ? undefined : timeOf(batch),
      }),
      body: encode(statements),
      leader: true,
      repeatable,
      first: 0,
    }, { write, linearizable: false, results: statements.length }) as Promise<Reply>;
  }

  #flags(endpoint: string, statements: readonly Prepared[]): Flags {
    if (endpoint === "/db/execute") return EXACT;
    const parsed = statements.some(({ analysis }) =>
      analysis.returning || analysis.kind === "explain"
    );
    if (!parsed) return UNPARSED;
    return { ...EXACT, norwrandom: !this.#capabilities.reversesRandom };
  }

  #exchange(
    { statements, deadline, node, commits }: Batch,
    { path, body, leader, repeatable, first }: {
      path: string;
      body: string;
      leader: boolean;
      repeatable: boolean;
      /** Where the first result of the statements is. */
      first: number;
    },
    expected: ExpectedAnswer,
  ): Promise<Reply | typeof READ_STRONG> {
    const { analysis } = statements[0]!;
    return this.#transport.send<Reply | typeof READ_STRONG>({
      method: "POST",
      path,
      body,
      leader,
      write: expected.write,
      repeatable,
      statements: statements.length,
      deadline,
      node,
      judge: (answer: HttpAnswer) => {
        this.#capabilities.learn(answer.version);
        const value = accepted(expected, answer);
        return value === undefined ? refused(expected, answer, deadline) : {
          value: {
            answer: value,
            first,
            commits: commits && commitsIn(value, first - 1, analysis),
          },
        };
      },
    });
  }
}

/** By how much a node goes on longer than its caller waits, in milliseconds: the error is to be the client's own. */
const GRACE = 250;

/**
 * How long a node may work on statements that might never end, as a common table expression that calls itself does not:
 * one that nobody waits for any more would go on. Others go without, which on old servers makes long results cheaper.
 *
 * @param logged A read that goes through the log would hold up all that comes behind it, and a view may be without an end, too.
 */
function timeOf(
  { statements, deadline: { remaining } }: Batch,
  logged = false,
): number | undefined {
  const bounded = remaining < Infinity &&
    (logged || statements.some(({ analysis }) => /\bWITH\b/i.test(analysis.text)));
  return bounded ? Math.ceil(remaining) + GRACE : undefined;
}

function readsTables({ analysis }: Prepared): boolean {
  return analysis.from;
}

const REFUSALS = new Late("refusals of nodes", () => import("./refusals.ts"));

/** Judges an answer that holds no results. */
async function refused(
  expected: ExpectedAnswer,
  answer: HttpAnswer,
  deadline: Deadline,
): Promise<Verdict<typeof READ_STRONG>> {
  try {
    const judgeBy = (part: typeof import("./refusals.ts")) => part.judgeRefusal(expected, answer);
    return await REFUSALS.use(deadline, judgeBy, "Cannot tell more");
  } catch (cause) {
    if (deadline.signal?.aborted) throw deadline.signal.reason;
    const { status, node } = answer;
    const said = `${node} answered ${status}`;
    const init = { status, node, cause };
    // Another node may take a read, and what carries an id.
    return expected.write
      ? {
        error: new OutcomeUnknownError(`Cannot tell whether the write was applied: ${said}`, init),
        applied: "maybe",
        next: "elsewhere",
      }
      : {
        error: new OperationalError(`Cannot tell why the read failed: ${said}`, init),
        applied: "no",
        next: "elsewhere",
      };
  }
}
