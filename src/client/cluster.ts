import { ConnectionError, OperationalError, TimeoutError } from "../errors.ts";
import type { Deadline } from "../transport/deadline.ts";
import type { Exchange, HttpAnswer, Transport } from "../transport/transport.ts";
import { type Node, parseNodes, parseReady, parseStatus } from "../wire/cluster.ts";
import { path } from "../wire/params.ts";
import type { CallOptions } from "./executor.ts";
import { judgeText, quote } from "./judge.ts";

/** What {@linkcode BaseClient.nodes} takes. */
export interface NodesOptions extends CallOptions {
  /** Read replicas, too. @default {false} */
  nonVoters?: boolean | undefined;
}

/** What {@linkcode BaseClient.ready} takes. */
export interface ReadyOptions extends CallOptions {
  /** Asks only whether the node answers, not whether it knows a leader. @default {false} */
  noLeader?: boolean | undefined;
  /** Waits until the node has received what the leader has committed, up to `timeout`. @default {false} */
  sync?: boolean | undefined;
}

/** How long a node may wait for members that do not answer, in milliseconds. */
const PROBE_LIMIT = 2000;

/** Questions about the cluster itself: any node answers them. */
export class Cluster {
  readonly #transport: Transport;
  readonly #configured: number;

  /** @param configured How many nodes are configured. */
  constructor(transport: Transport, configured: number) {
    this.#transport = transport;
    this.#configured = configured;
  }

  /** See {@linkcode BaseClient.nodes}. */
  async nodes(deadline: Deadline, { nonVoters }: NodesOptions = {}): Promise<Node[]> {
    const timeout = Math.min(PROBE_LIMIT, deadline.remaining / 2);
    const target = path("/nodes", { ver: "2", nonvoters: nonVoters ?? false, timeout });
    return await this.#get(target, deadline, (answer) => judgeText(answer, parseNodes));
  }

  /** See {@linkcode BaseClient.leader}. */
  async leader(deadline: Deadline): Promise<Node | undefined> {
    return (await this.nodes(deadline)).find(({ leader }) => leader);
  }

  /** See {@linkcode BaseClient.status}. @param node The only one to ask. */
  async status(deadline: Deadline, node?: string): Promise<Record<string, unknown>> {
    return await this.#get("/status", deadline, (answer) => judgeText(answer, parseStatus), node);
  }

  /** See {@linkcode BaseClient.ready}. */
  async ready(deadline: Deadline, { noLeader, sync }: ReadyOptions = {}): Promise<boolean> {
    const target = path("/readyz", {
      noleader: noLeader ?? false,
      sync: sync ?? false,
      timeout: deadline.remaining,
    });
    let asked = 0;
    try {
      return await this.#get<boolean>(target, deadline, (answer) => {
        if (answer.status < 500) return judgeText(answer, parseReady);
        const next = ++asked < this.#configured ? "elsewhere" : "never";
        return { error: notReady(answer), applied: "no", next };
      });
    } catch (error) {
      const silent = error instanceof ConnectionError || error instanceof TimeoutError;
      if (silent || error instanceof NotReady) return false;
      throw error;
    }
  }

  #get<T>(
    target: string,
    deadline: Deadline,
    judge: Exchange<T>["judge"],
    node?: string,
  ): Promise<T> {
    return this.#transport.send({
      method: "GET",
      path: target,
      leader: false,
      write: false,
      repeatable: true,
      statements: 0,
      deadline,
      node,
      judge,
    });
  }
}

/** A node is not ready, and says why: another one is asked. */
class NotReady extends OperationalError {}

function notReady(answer: HttpAnswer): NotReady {
  const { node, status, text } = answer;
  const message = `${node} is not ready: ${quote(text, answer)}`;
  return new NotReady(message, { node, status, retryable: true });
}
