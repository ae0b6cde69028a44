import { DatabaseError } from "../errors.ts";
import { type Prepared, prepareRead } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import { Authorization } from "../transport/credentials.ts";
import type { Deadline } from "../time/deadline.ts";
import { HttpTransport } from "../transport/http.ts";
import { Nodes } from "../transport/nodes.ts";
import { platformFetch } from "../transport/transport.ts";
import type { Transport } from "../transport/transport.ts";
import { membersIn } from "../wire/cluster.ts";
import type { Cluster } from "./cluster.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Reply } from "./request.ts";
import { Late } from "../late.ts";
import type { Interceptors } from "./interceptors.ts";
import type { ResolvedOptions, Settings } from "./settings.ts";
import { type PageSpec, readPage } from "./page.ts";
import type { Cells, Page } from "./paging.ts";
import { emptyResult, firstError, placeOf, readResults } from "./read_results.ts";
import { checkAlone, checkQuery } from "./read_only.ts";

const FAILURES = new Late("errors of statements", () => import("./results.ts"));
const CLUSTER = new Late("questions about the cluster", () => import("./cluster.ts"));
const INTERCEPTORS = new Late("interceptors", () => import("./interceptors.ts"));

/** A read as it was asked for, where somebody wants to look at it. */
export interface AskedRead {
  /** What the user has called. */
  readonly operation: string;
  /** The statement as it was given, which nobody changes any more. */
  readonly form: Statement;
}

/** What sends the requests of one client: all that its calls, its transactions and its sessions share. The first call loads it. */
export class Backend {
  readonly #options: ResolvedOptions;
  readonly #nodes: Nodes;
  /** Carries requests. */
  readonly transport: Transport;
  /** Turns statements into requests. */
  readonly dispatcher: Dispatcher;
  #interceptors: Interceptors | undefined;

  /** Sends nothing. */
  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#nodes = new Nodes(options.nodes, options.mapNode);
    this.transport = new HttpTransport({
      ...options,
      fetch: options.fetch ?? platformFetch,
      nodes: this.#nodes,
      authorization: new Authorization(options.credentials),
      discover: options.discover ? membersIn : undefined,
    });
    this.dispatcher = new Dispatcher(this.transport);
  }

  /** Whether RETURNING is put into a form that every server answers. */
  get returningRewrite(): boolean {
    return this.#options.returningRewrite;
  }

  /** Whether requests carry a user's name. */
  get hasUser(): boolean {
    return this.#options.credentials !== undefined;
  }

  /** Whether calls have interceptors around them. */
  get intercepted(): boolean {
    return this.#options.interceptors !== undefined;
  }

  /** Ends what is under way. */
  close(): void {
    this.transport.close();
  }

  /** Runs something with the interceptors: the one way to them. */
  through<T>(
    deadline: Deadline,
    work: (interceptors: Interceptors) => T | Promise<T>,
  ): T | Promise<T> {
    const { interceptors = [], nodes } = this.#options;
    return INTERCEPTORS.use(
      deadline,
      ({ Interceptors }) => work(this.#interceptors ??= new Interceptors(interceptors, nodes)),
    );
  }

  /** Runs a statement that only reads. @param asked Goes through the interceptors. */
  query(
    prepared: Prepared,
    settings: Settings,
    deadline: Deadline,
    asked: AskedRead | undefined,
  ): Promise<Result> {
    if (asked === undefined) return this.#query(prepared, settings, deadline);
    return this.#queryThrough(prepared, settings, deadline, asked);
  }

  async #queryThrough(
    prepared: Prepared,
    settings: Settings,
    deadline: Deadline,
    { operation, form }: AskedRead,
  ): Promise<Result> {
    const made = { operation, forms: [form], single: true, settings, deadline };
    const send = async (
      [given = form]: readonly Statement[],
      deadline: Deadline,
    ): Promise<Result[]> => {
      const read = given === form ? prepared : prepareRead(given);
      checkQuery(read.analysis);
      checkAlone(read.analysis);
      return [await this.#query(read, { ...settings, signal: deadline.signal }, deadline)];
    };
    const [result = emptyResult()] = await this.through(
      deadline,
      (interceptors) => interceptors.answer(made, send),
    );
    return result;
  }

  async #query(prepared: Prepared, settings: Settings, deadline: Deadline): Promise<Result> {
    if (prepared.analysis.kind === "empty") return emptyResult();
    const statements = [prepared];
    const reply = await this.dispatcher.read({
      statements,
      transaction: false,
      settings,
      deadline,
      exact: true,
    });
    const failed = firstError(reply, statements);
    const [result = emptyResult()] = failed < 0
      ? readResults(reply, statements, settings, failed, {})
      : (await diagnosis(reply, statements, deadline)).resultsOf(reply, statements, settings);
    return result;
  }

  /** Reads a part of the rows of a statement that only reads. */
  page(spec: PageSpec, settings: Settings, deadline: Deadline): Promise<Page> {
    const cells: Settings = { ...settings, rows: "array" };
    return readPage(spec, async (page) => {
      const { sql, params } = page;
      const asked = this.intercepted ? { operation: "iterate", form: { sql, params } } : undefined;
      // They have the form that was asked for.
      return await this.query(page, cells, deadline, asked) as Result<unknown> as Result<Cells>;
    });
  }

  /** An address that the cluster advertises, as `mapNode` rewrites it; `undefined` if the node is left out. */
  admit(apiUrl: string): string | undefined {
    return this.#nodes.admit(apiUrl);
  }

  /** Asks about the cluster. */
  ask<T>(
    deadline: Deadline,
    question: (cluster: Cluster, end: Deadline) => Promise<T>,
  ): T | Promise<T> {
    const { length } = this.#options.nodes;
    return CLUSTER.use(
      deadline,
      ({ Cluster }) => question(new Cluster(this.transport, length), deadline),
    );
  }
}

/** What tells errors of statements apart; where it cannot be loaded, the error of a read says what the server does. */
async function diagnosis(
  { answer, first }: Reply,
  statements: readonly Prepared[],
  deadline: Deadline,
): Promise<typeof import("./results.ts")> {
  try {
    return await FAILURES.use(deadline, (part) => part, "Cannot tell more of the error");
  } catch (cause) {
    if (deadline.signal?.aborted) throw cause;
    const where = placeOf(0, statements, undefined, []);
    throw new DatabaseError(answer.errorAt(first) ?? "", { ...where, cause });
  }
}
