import type { Deadline } from "../time/deadline.ts";
import type { HttpAnswer, Transport, Verdict } from "../transport/transport.ts";

/** A version text as far as it can be read; builds may say just "8", or "unknown". */
type Version = readonly [major: number, minor: number | undefined, patch: number | undefined];

/**
 * What the server can do. Plain results are kept, never promises: on Workers a promise of one request is dead
 * in the next.
 */
export class Capabilities {
  readonly #transport: Transport;
  #text: string | undefined;
  #version: Version | undefined;
  #linearizable: boolean | undefined;

  /** Sends nothing yet. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Takes the version text of an answer. */
  learn(version: string | undefined): void {
    if (version === undefined || version === this.#text) return;
    this.#text = version;
    this.#version = parse(version);
  }

  /** Whether level "linearizable" is known not to be real. */
  get lacksLinearizable(): boolean {
    return this.#linearizable === false;
  }

  /**
   * Whether an error in a statement with RETURNING ends a transaction; before 9.4.2 the rest runs and commits.
   * `false` where the version does not prove it.
   */
  get returningAborts(): boolean {
    return atLeast(this.#version, 9, 4, 2) === true;
  }

  /** Whether `norwrandom` is known to do its opposite on `/db/query` and `/db/request`: before 10.2.7. */
  get reversesRandom(): boolean {
    return atLeast(this.#version, 10, 2, 7) === false;
  }

  /**
   * Whether level "linearizable" is real; servers before 8.32 take it for "weak" in silence. The answer to a read
   * must be there already. Where its version does not prove it, a parameter that only servers with the level
   * check tells, once.
   */
  hasLinearizable(deadline: Deadline): boolean | Promise<boolean> {
    // rqlited names its version in every answer: without one, something stands in for it and has no levels.
    if (this.#text === undefined) return true;
    this.#linearizable ??= atLeast(this.#version, 8, 32, 0);
    return this.#linearizable ?? this.#probe(deadline);
  }

  async #probe(deadline: Deadline): Promise<boolean> {
    return this.#linearizable = await this.#transport.send({
      method: "GET",
      path: "/db/query?linearizable_timeout=unreadable",
      leader: false,
      write: false,
      repeatable: true,
      statements: 0,
      deadline,
      judge: ({ status }: HttpAnswer): Verdict<boolean> => ({ value: status === 400 }),
    });
  }
}

function parse(text: string): Version | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text);
  if (match === null) return undefined;
  const number = (part: string | undefined): number | undefined =>
    part === undefined ? part : Number(part);
  return [Number(match[1]), number(match[2]), number(match[3])];
}

/** Whether a version, as a server says it, is that or newer; `undefined` if it does not say so much. */
export function isAtLeast(
  text: string | undefined,
  ...wanted: [number, number, number]
): boolean | undefined {
  return atLeast(text === undefined ? text : parse(text), ...wanted);
}

/** Whether `version` is that or newer; `undefined` if it does not say so much. */
function atLeast(
  version: Version | undefined,
  ...wanted: [number, number, number]
): boolean | undefined {
  if (version === undefined) return undefined;
  for (const [i, part] of wanted.entries()) {
    const has = version[i];
    if (has === undefined) return undefined;
    if (has !== part) return has > part;
  }
  return true;
}
