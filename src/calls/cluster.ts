import { ConnectionError, NotSupportedError, OperationalError, TimeoutError } from "../errors.ts";
import type { Deadline } from "../time/deadline.ts";
import type { Exchange, HttpAnswer, Transport, Verdict } from "../transport/transport.ts";
import type { Prepared } from "../sql/prepare.ts";
import { type Node, parseNodes, parseReady, parseStatus, sequenceIn } from "../wire/cluster.ts";
import { encode } from "../wire/encode.ts";
import { path } from "../wire/request_path.ts";
import { isAtLeast } from "./capabilities.ts";
import { judgeText, quote, refusedWrite } from "./refusals.ts";

/** How long a node may wait for members that do not answer, in milliseconds. */
const PROBE_LIMIT = 2000;

/** Questions about the cluster itself, which any node answers, and what is done to its nodes. */
export class Cluster {
  readonly #transport: Transport;
  readonly #configured: number;

  /** @param configured How many nodes are configured. */
  constructor(transport: Transport, configured: number) {
    this.#transport = transport;
    this.#configured = configured;
  }

  /** The members, as one of them sees them. @param retries How often a node tries to reach each of the others again. */
  async nodes(
    deadline: Deadline,
    { nonVoters }: { nonVoters?: boolean | undefined } = {},
    retries?: string,
  ): Promise<Node[]> {
    const timeout = Math.min(PROBE_LIMIT, deadline.remaining / 2);
    const target = path("/nodes", { ver: "2", nonvoters: nonVoters ?? false, retries, timeout });
    return await this.#get(target, deadline, (answer) => judgeText(answer, parseNodes));
  }

  /** The member that leads. */
  async leader(deadline: Deadline): Promise<Node | undefined> {
    return (await this.nodes(deadline)).find(({ leader }) => leader);
  }

  /** What a node tells of itself. @param node The only one to ask. */
  async status(deadline: Deadline, node?: string): Promise<Record<string, unknown>> {
    return await this.#get("/status", deadline, (answer) => judgeText(answer, parseStatus), node);
  }

  /** Whether a configured node is ready; others are asked where one is not. */
  async ready(
    deadline: Deadline,
    { noLeader, sync }: { noLeader?: boolean | undefined; sync?: boolean | undefined } = {},
  ): Promise<boolean> {
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

  /** Makes the leader write a snapshot. */
  async snapshot(deadline: Deadline): Promise<void> {
    await this.#do("POST", "/snapshot", deadline, {
      repeatable: true,
      judge: (answer) => answer.status === 204 ? DONE : judgeText(answer, nothing),
    });
  }

  /** Takes a node out of the cluster. */
  async removeNode(deadline: Deadline, id: string): Promise<void> {
    await this.#do("DELETE", "/remove", deadline, {
      body: JSON.stringify({ id }),
      repeatable: true,
      judge: (answer) => judgeText(answer, nothing),
    });
  }

  /** Makes the leader hand over. */
  async stepDown(
    deadline: Deadline,
    { to, wait = true }: { to?: string | undefined; wait?: boolean | undefined } = {},
  ): Promise<void> {
    if (to !== undefined) await this.#get("/leader", deadline, judgeSuccessor);
    // A node that does not lead finds out only while it waits, and else says that all is well.
    if (!wait) await this.findLeader(deadline);
    await this.#do("POST", path("/leader", { wait, timeout: deadline.remaining }), deadline, {
      ...(to !== undefined && { body: JSON.stringify({ id: to }) }),
      repeatable: false,
      judge: judgeStepDown,
    });
  }

  /** Hands statements to the queue of a node. @param wait Until they are in the log. */
  async enqueue(
    deadline: Deadline,
    statements: readonly Prepared[],
    wait: boolean,
  ): Promise<{ sequence: bigint }> {
    return await this.#transport.send({
      method: "POST",
      path: path("/db/execute", {
        queue: true,
        wait,
        timeout: wait ? deadline.remaining : undefined,
        norwrandom: true,
        norwtime: true,
      }),
      body: encode(statements),
      leader: true,
      write: true,
      repeatable: false,
      statements: statements.length,
      deadline,
      judge: judgeQueued,
    });
  }

  /** Asks for the leader, which the transport knows then. */
  async findLeader(deadline: Deadline): Promise<void> {
    await this.#do("POST", "/db/query?level=weak", deadline, {
      body: '["SELECT 1"]',
      repeatable: true,
      judge: (answer) => judgeText(answer, nothing),
    });
  }

  #get<T>(
    path: string,
    deadline: Deadline,
    judge: Exchange<T>["judge"],
    node?: string,
  ): Promise<T> {
    return this.#send(
      { method: "GET", path, leader: false, repeatable: true, node, judge },
      deadline,
    );
  }

  #do(
    method: "POST" | "DELETE",
    path: string,
    deadline: Deadline,
    asked: Pick<Exchange<void>, "body" | "repeatable" | "judge">,
  ): Promise<void> {
    return this.#send({ method, path, leader: true, ...asked }, deadline);
  }

  #send<T>(
    asked: Omit<Exchange<T>, "write" | "statements" | "deadline">,
    deadline: Deadline,
  ): Promise<T> {
    return this.#transport.send({ ...asked, write: false, statements: 0, deadline });
  }
}

/** A node is not ready, and says why: another one is asked. */
class NotReady extends OperationalError {}

function notReady(answer: HttpAnswer): NotReady {
  const { node, status, text } = answer;
  const message = `${node} is not ready: ${quote(text, answer)}`;
  return new NotReady(message, { node, status, retryable: true });
}

const DONE: Verdict<void> = { value: undefined };

/** For an answer that has nothing to say: it is empty, or an object as rqlite writes it. */
function nothing(text: string): void {
  if (text.trim() !== "") parseStatus(text);
}

/** Whether the leader can be told who follows it; the answer is that of `GET /leader`. */
function judgeSuccessor(answer: HttpAnswer): Verdict<void> {
  // It would take anybody instead.
  if (isAtLeast(answer.version, 8, 41, 0) !== false) return judgeStepDown(answer);
  return lacking("`to`", "8.41.0");
}

function judgeStepDown(answer: HttpAnswer): Verdict<void> {
  const { node, status, text, version } = answer;
  if (status === 404 && version !== undefined) return lacking("stepDown()", "8.40.0");
  if (status !== 500 || !text.startsWith("stepdown: ")) return judgeText(answer, nothing);
  const message = `${node} could not step down: ${quote(text.slice("stepdown: ".length), answer)}`;
  return { error: new OperationalError(message, { node, status }), applied: "no", next: "never" };
}

/** @param since The first version that has it. */
function lacking(what: string, since: string): Verdict<never> {
  return { error: notSupported(what, since), applied: "no", next: "never" };
}

/** The error for what an old server does not have. @param since The first version that has it. */
export function notSupported(what: string, since: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot use ${what} as the server is too old: rqlite ${since} has it`,
  );
}

function judgeQueued(answer: HttpAnswer): Verdict<{ sequence: bigint }> {
  const sequence = answer.status === 200 ? sequenceIn(answer.text) : undefined;
  if (sequence !== undefined) return { value: { sequence } };
  return refusedWrite(answer, -1);
}
