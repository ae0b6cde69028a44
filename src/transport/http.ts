import { InterfaceError, OperationalError } from "../errors.ts";
import { Late } from "../late.ts";
import { Closing } from "../time/closing.ts";
import { Deadline } from "../time/deadline.ts";
import { Delivery, type Shared } from "./delivery.ts";
import { Discovery, LOOK_UP_LIMIT } from "./discovery.ts";
import { Election } from "./election.ts";
import type { Nearest } from "./nearest.ts";
import type { Members, Nodes } from "./nodes.ts";
import { RequestSender, type SenderOptions } from "./request_sender.ts";
import { RetryBudget } from "./retry.ts";
import type { Exchange, Transport } from "./transport.ts";

/** What an {@linkcode HttpTransport} is made of. */
export interface HttpTransportOptions extends SenderOptions {
  /** Attempts after the first. */
  readonly retries: number;
  /** Reads the members out of the answer of `/nodes`; without it there is no discovery. */
  readonly discover?: ((text: string) => Members) | undefined;
}

const NEAREST = new Late("the choice of nodes", () => import("./nearest.ts"));

/** Exchanges over `fetch`. What they share is kept here; how one of them is sent and repeated is {@linkcode Delivery}'s. */
export class HttpTransport implements Transport {
  readonly #shared: Shared;
  #nearest: Nearest | undefined;

  /** Sends nothing yet. */
  constructor(options: HttpTransportOptions) {
    const { nodes, retries, discover } = options;
    const closing = new Closing();
    const budget = new RetryBudget();
    const sender = new RequestSender(options, closing);
    const discovery = discover && new Discovery((node) => lookUp(sender, nodes, node, discover));
    const election = new Election(budget, closing);
    this.#shared = { nodes, retries, closing, budget, sender, discovery, election };
  }

  /** Ends what is under way; later calls to `send()` reject. */
  close(): void {
    this.#shared.closing.close();
  }

  /**
   * Sends until there is a success, nothing more may be tried, or time is up.
   *
   * @throws {RqliteError} The error of the last attempt, or the caller's abort reason as it is.
   */
  async send<T>(exchange: Exchange<T>): Promise<T> {
    const { leader, node } = exchange;
    const nearest = leader || node !== undefined ? undefined : await this.#chooser(exchange);
    const { discovery, budget } = this.#shared;
    const mistake = discovery?.takeMistake();
    if (mistake !== undefined) throw mistake;
    budget.called();
    return await new Delivery(this.#shared, exchange, nearest).run();
  }

  /** What chooses among several nodes where any may answer a read; one that cannot be loaded leaves it to the first. */
  async #chooser({ method, deadline }: Exchange<unknown>): Promise<Nearest | undefined> {
    const { nodes, retries } = this.#shared;
    // A look at a node that may not answer is for calls that can go on elsewhere.
    if (method === "GET" || !nodes.several || retries === 0) return undefined;
    try {
      return this.#nearest ??
        await NEAREST.use(deadline, ({ Nearest }) => this.#nearest ??= new Nearest());
    } catch {
      return undefined;
    }
  }
}

/** Asks a node for the cluster's members; what is configured stays in use where nobody can tell. */
async function lookUp(
  sender: RequestSender,
  nodes: Nodes,
  node: string,
  discover: (text: string) => Members,
): Promise<boolean> {
  const { heard } = nodes;
  const exchange: Exchange<boolean> = {
    method: "GET",
    path: "/nodes?ver=2&nonvoters&timeout=2s",
    leader: false,
    write: false,
    repeatable: false,
    statements: 0,
    deadline: new Deadline(LOOK_UP_LIMIT),
    judge: ({ status, text }) => {
      try {
        if (status === 200) nodes.learn(discover(text), heard);
        // A node that has enough to do may know more later; one that refuses for good does not.
        return { value: status < 500 && status !== 429 };
      } catch (cause) {
        const error = cause instanceof InterfaceError
          ? cause
          : new OperationalError(`Cannot read the members that ${node} names`, { node, cause });
        return { error, applied: "no", next: "never" };
      }
    },
  };
  const { verdict } = await sender.send(exchange, node, 0, LOOK_UP_LIMIT);
  if ("error" in verdict) throw verdict.error;
  return verdict.value;
}
