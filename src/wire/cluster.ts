import { MalformedAnswerError, parseBody, parseExact } from "./json.ts";

/** A member of the cluster. */
export interface Node {
  /** Its name in the cluster. */
  readonly id: string;
  /** Its HTTP address, such as `http://localhost:4001`; "" if it did not answer. */
  readonly apiUrl: string;
  /** Its Raft address. */
  readonly raftAddress: string;
  /** Whether it votes; a read replica does not. */
  readonly voter: boolean;
  /** Whether the node that was asked could reach it. */
  readonly reachable: boolean;
  /** Whether it leads. */
  readonly leader: boolean;
  /** The server's version as it says, in any form. */
  readonly version?: string;
  /** Why it could not be reached. */
  readonly error?: string;
}

/**
 * Reads the answer of `/nodes?ver=2`, and the older form with the ids as keys.
 *
 * @throws {MalformedAnswerError} If it is neither.
 */
export function parseNodes(text: string): Node[] {
  const json = recordIn(text);
  // A node that is called "nodes" would stand there as an object.
  if (Array.isArray(json.nodes)) return json.nodes.map((node) => toNode(node));
  return Object.entries(json).map(([id, node]) => toNode(node, id));
}

/**
 * The members' HTTP addresses in an answer of `/nodes`, and which of them leads.
 *
 * @throws {MalformedAnswerError} If it is not one.
 */
export function membersIn(text: string): { urls: string[]; leader: string | undefined } {
  const nodes = parseNodes(text).filter(({ apiUrl }) => apiUrl !== "");
  return {
    urls: nodes.map(({ apiUrl }) => apiUrl),
    leader: nodes.find(({ leader }) => leader)?.apiUrl,
  };
}

/**
 * Reads the answer of `/status`; integers beyond 2^53 are `bigint`.
 *
 * @throws {MalformedAnswerError} If it is not a JSON object.
 */
export function parseStatus(text: string): Record<string, unknown> {
  return recordIn(text);
}

/**
 * Reads the answer of `/readyz` with status 200.
 *
 * @throws {MalformedAnswerError} If it is another server's.
 */
export function parseReady(text: string): true {
  if (text.startsWith("[+]")) return true;
  throw new MalformedAnswerError("Cannot read the answer as it is not a list of checks");
}

/** The number of a queued write in its answer; `undefined` if it is not one. */
export function sequenceIn(text: string): bigint | undefined {
  try {
    const { sequence_number } = recordIn(text);
    return typeof sequence_number === "bigint" || Number.isSafeInteger(sequence_number)
      ? BigInt(sequence_number as number | bigint)
      : undefined;
  } catch (error) {
    if (error instanceof MalformedAnswerError) return undefined;
    throw error;
  }
}

function toNode(json: unknown, key?: string): Node {
  const { id = key, api_addr, addr, voter, reachable, leader, version, error } = record(json);
  if (typeof id !== "string") throw new MalformedAnswerError("Cannot read a node without an id");
  return {
    id,
    apiUrl: textOf(api_addr),
    raftAddress: textOf(addr),
    voter: voter === true,
    reachable: reachable === true,
    leader: leader === true,
    ...(textOf(version) !== "" && { version: textOf(version) }),
    ...(textOf(error) !== "" && { error: textOf(error) }),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function recordIn(text: string): Record<string, unknown> {
  return record(parseBody(text, parseExact));
}

function record(json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new MalformedAnswerError("Cannot read the answer as it is not a JSON object");
  }
  return json as Record<string, unknown>;
}
