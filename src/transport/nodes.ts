import { Gate, type MapNode } from "./address.ts";

/** Which node to ask next: the configured ones, those that were discovered, and the leader where it is known. */
export class Nodes {
  readonly #configured: readonly string[];
  readonly #gate: Gate;
  #known: readonly string[];
  #current = 0;
  #leader: string | undefined;
  readonly #unreached = new Set<string>();

  /** @param configured At least one base URL. */
  constructor(configured: readonly string[], mapNode?: MapNode) {
    this.#configured = configured;
    this.#known = configured;
    this.#gate = new Gate(configured, mapNode);
  }

  /** The leader if it is asked for and known, else the node that worked last. */
  pick(leader: boolean): string {
    return (leader ? this.#leader : undefined) ?? this.#known[this.#current % this.#known.length]!;
  }

  /** Whether another node than the one that {@linkcode pick} gives could be asked. */
  get several(): boolean {
    return this.#known.length > 1 ||
      (this.#leader !== undefined && this.#leader !== this.#known[0]);
  }

  /**
   * `node` did not do it: the next one is asked, and it is not taken for the leader any more. One that could not
   * even be reached is left out while there are others: an election is short of attempts to waste on its victim.
   */
  failed(node: string, unreached = false): void {
    if (node === this.#leader) this.#leader = undefined;
    if (unreached) this.#unreached.add(node);
    if (this.#known.every((url) => this.#unreached.has(url))) this.#unreached.clear();
    if (node !== this.pick(false)) return;
    do this.#current++; while (this.#unreached.has(this.pick(false)));
  }

  /** Moves on from nodes that will refuse again; `false` if there is no other. */
  skip(hopeless: ReadonlySet<string>, leader: boolean): boolean {
    if (hopeless.size === 0) return true;
    if (this.#known.every((url) => hopeless.has(url))) return false;
    while (hopeless.has(this.pick(leader))) this.failed(this.pick(leader), true);
    return true;
  }

  /**
   * Learns the leader from a redirect of `from` to `location`. Only another node's same `path` counts: anything else
   * comes from a proxy.
   *
   * @throws {InterfaceError} If `mapNode` fails.
   */
  redirected(from: string, location: string, path: string): string | undefined {
    const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
    const endpoint = path.split("?", 1)[0]!;
    if (!target?.pathname.endsWith(endpoint)) return undefined;
    target.pathname = target.pathname.slice(0, -endpoint.length);
    // They are the request's.
    target.search = target.hash = "";
    return this.#leader = this.#gate.admit(target.href);
  }

  /**
   * Takes the API addresses of a cluster's members; the configured nodes stay.
   *
   * @throws {InterfaceError} If `mapNode` fails.
   */
  learn(apiUrls: readonly string[]): void {
    const learned = apiUrls.map((url) => this.#gate.admit(url)).filter((url) => url !== undefined);
    const current = this.pick(false);
    this.#known = [...new Set([...this.#configured, ...learned])];
    this.#current = Math.max(0, this.#known.indexOf(current));
  }
}
