import { ConnectionError, OperationalError, TimeoutError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import { prepareRead } from "../sql/prepare.ts";
import { Deadline } from "../time/deadline.ts";
import type { Node } from "../wire/cluster.ts";
import { Pauses } from "./pauses.ts";
import { type Asking, type NodeStatus, Replica } from "./replica.ts";

/** How long a node has to tell of itself at first, in milliseconds: one that is silent is known then. */
const PATIENCE = 3_000;

/** How often members are asked for where one cannot be asked: after its restart others find broken connections to it. */
const LOOKS = 3;

/** So many of them they pass over at each look: they keep 64 at most. */
const RETRIES = "21";

/** After so many looks at a node that stays behind the log is made longer: it may have been restarted meanwhile. */
const MARKED = 20;

/** A node that could not be asked. */
export interface Missing {
  /** Its address, or what else tells it from others. */
  readonly name: string;
  /** Why it could not be asked. */
  readonly why: string;
}

type Found = readonly [Replica, NodeStatus];

/** The nodes of a cluster. */
export class Replicas {
  /** The nodes that can be asked. */
  readonly nodes: readonly Replica[];
  /** What each of them told of itself, in the same order. */
  readonly statuses: readonly NodeStatus[];
  /** The other members. */
  readonly missing: readonly Missing[];
  readonly #asking: Asking;

  private constructor(
    found: readonly Found[],
    missing: readonly Missing[],
    asking: Asking,
  ) {
    this.nodes = found.map(([replica]) => replica);
    this.statuses = found.map(([, status]) => status);
    this.missing = missing;
    this.#asking = asking;
  }

  /**
   * Asks for the members, read replicas included, and each of them for itself.
   *
   * @throws {InterfaceError} If `mapNode` fails.
   */
  static async find(asking: Asking): Promise<Replicas> {
    const pauses = new Pauses(asking.deadline);
    for (let look = 1;; look++) {
      const replicas = await Replicas.#find(asking);
      const [missing] = replicas.missing;
      if (missing === undefined || look === LOOKS) return replicas;
      await pauses.wait(() => `${missing.name} cannot be asked, ${missing.why}`);
    }
  }

  static async #find(asking: Asking): Promise<Replicas> {
    const { connection, deadline } = asking;
    const members = await connection.ask(
      deadline,
      (cluster, end) => cluster.nodes(end, { nonVoters: true }, RETRIES),
    );
    const missing: Missing[] = [];
    const look = async (member: Node): Promise<Found[]> => {
      const reached = reach(member, members.length, asking);
      const found = reached instanceof Replica ? await tell(reached, member, deadline) : reached;
      if ("why" in found) missing.push(found);
      return "why" in found ? [] : [found];
    };
    const found = await Promise.all(members.map(look));
    return new Replicas(found.flat(), missing, asking);
  }

  /**
   * Waits until every node has what one of them has, and answers that position of the log.
   *
   * @throws {TimeoutError} If one stays behind.
   */
  async position(): Promise<number> {
    const pauses = new Pauses(this.#asking.deadline);
    let target: number | undefined;
    for (let look = 1;; look++) {
      const positions = await this.#positions();
      const goal = target ??= Math.max(...positions.map(({ index }) => index));
      const behind = positions.find(({ index }) => index < goal);
      if (behind === undefined) return goal;
      if (look % MARKED === 0) await this.mark();
      const { name, index } = behind;
      await pauses.wait(() => `${name} has entry ${index} of the log, but not ${goal}`);
    }
  }

  /** Makes the log one entry longer, which changes nothing: a node that was restarted tells where it is only then. */
  async mark(): Promise<void> {
    const { connection, settings, deadline } = this.#asking;
    await connection.dispatcher.read({
      statements: [prepareRead("SELECT 1")],
      transaction: false,
      settings: { ...settings, level: "strong" },
      deadline,
    });
  }

  async #positions(): Promise<{ name: string; index: number }[]> {
    return await Promise.all(this.nodes.map(async (replica) => {
      const { index } = await replica.status();
      return { name: replica.name, index };
    }));
  }
}

function reach(
  { id, apiUrl, raftAddress, reachable, error = "no other node reaches it" }: Node,
  members: number,
  asking: Asking,
): Replica | Missing {
  if (members === 1) return new Replica(apiUrl || id, undefined, asking);
  if (!reachable || apiUrl === "") return { name: apiUrl || `${id} (${raftAddress})`, why: error };
  const node = asking.connection.admit(apiUrl);
  if (node !== undefined) return new Replica(node, node, asking);
  return { name: apiUrl, why: "`mapNode`, or its scheme, leaves it out" };
}

async function tell(
  replica: Replica,
  { id }: Node,
  deadline: Deadline,
): Promise<Found | Missing> {
  const { name } = replica;
  try {
    const limit = Math.min(PATIENCE, deadline.remaining / 2);
    const status = await replica.status(new Deadline(limit, deadline.signal));
    if (status.id === undefined || status.id === id) return [replica, status];
    return { name, why: `it is node ${status.id}, not ${id}: \`mapNode\` may tell where that is` };
  } catch (error) {
    const silent = error instanceof ConnectionError || error instanceof TimeoutError ||
      (error instanceof OperationalError && error.retryable);
    if (!silent) throw error;
    return { name, why: reasonOf(error) };
  }
}
