import { endpointOf } from "./address.ts";
import { AddressFilter, type MapNode } from "./address_filter.ts";

/** The longest that a node is left alone because it asked for it, in milliseconds. */
const LONGEST_REST = 3_600_000;

/** How many members are taken from one answer: a choice among them costs every call. */
const MOST_MEMBERS = 1_000;

/** How long a leader that was named and could not be reached is not asked, in milliseconds. */
const LONGEST_MISS = 60_000;

const NONE: ReadonlySet<string> = new Set();

/** What a node says of its cluster. */
export interface Members {
  /** Where their API is. */
  readonly urls: readonly string[];
  /** That of the leader, where there is one. */
  readonly leader: string | undefined;
}

/** Chooses among nodes that all can do it. */
export interface Choice {
  /** The one to ask; `undefined` where none is better than another. */
  choose(nodes: readonly string[]): string | undefined;
}

/** What one call has found out. */
export interface Tried {
  /** Nodes that will refuse it again. */
  readonly hopeless: ReadonlySet<string>;
  /** Nodes that it could not reach. */
  readonly unreached: ReadonlySet<string>;
  /** Milliseconds that remain to it. */
  readonly remaining: number;
}

const NOTHING: Tried = { hopeless: NONE, unreached: NONE, remaining: Infinity };

/** A rest that ends so shortly before a call does is of no use to it, in milliseconds. */
const TOO_LATE = 20;

/** Which node to ask next: the configured ones, those that were discovered, and the leader where it is known. */
export class Nodes {
  readonly #configured: readonly string[];
  readonly #filter: AddressFilter;
  #known: readonly string[];
  #current = 0;
  #leader: string | undefined;
  #heard = 0;
  readonly #unreached = new Set<string>();
  /** Leaders that were named and have answered, and until when those that did not are left alone. */
  readonly #met = new Set<string>();
  readonly #missed = new Map<string, number>();
  /** Until when nodes asked to be left alone. */
  readonly #rests = new Map<string, number>();

  /** @param configured At least one base URL. */
  constructor(configured: readonly string[], mapNode?: MapNode) {
    this.#configured = configured;
    this.#known = configured;
    this.#filter = new AddressFilter(configured, mapNode);
  }

  /**
   * The leader if it is asked for and known, else the one that `near` chooses, or the node that worked last; another one
   * where that rests or is hopeless.
   * Where none is left, the one that rests for the shortest time, if the call can wait for it, or else one that it
   * could not reach.
   */
  pick(leader: boolean, tried: Tried = NOTHING, near?: Choice): string {
    for (const node of this.#rests.keys()) this.rest(node);
    const first = (leader ? this.#leader : near?.choose(this.#awake())) ?? this.#at(0);
    if (this.#rests.size + tried.hopeless.size === 0) return first;
    let best = first;
    let least = Infinity;
    for (const node of [first, ...this.#known.map((_, i) => this.#at(i))]) {
      const cost = this.#cost(node, tried);
      if (cost >= least) continue;
      best = node;
      least = cost;
    }
    return best;
  }

  #awake(): string[] {
    return this.#known.filter((node) => !this.#rests.has(node));
  }

  #cost(node: string, { hopeless, unreached, remaining }: Tried): number {
    if (hopeless.has(node)) return Infinity;
    if (unreached.has(node)) return Number.MAX_VALUE / 2;
    const rest = this.rest(node);
    if (rest > remaining - TOO_LATE) return Number.MAX_VALUE;
    // To another call it is worth an attempt, but not in front of one that is well.
    return Math.max(rest, this.#unreached.has(node) ? 1 : 0);
  }

  /** How long `node` wants to be left alone, in milliseconds. */
  rest(node: string): number {
    const until = this.#rests.get(node);
    if (until === undefined) return 0;
    const left = until - performance.now();
    if (left <= 0) this.#rests.delete(node);
    return Math.max(0, left);
  }

  /** `node` asked to be left alone. @param milliseconds At most an hour is kept. */
  rests(node: string, milliseconds: number): void {
    this.#rests.set(node, performance.now() + Math.min(milliseconds, LONGEST_REST));
    // Those that could not be reached may be back by now, and are worth one attempt.
    this.#unreached.clear();
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
    if (node === this.#leader) this.#follow(undefined);
    if (unreached) this.#unreached.add(node);
    if (this.#known.every((url) => this.#unreached.has(url))) this.#unreached.clear();
    if (node !== this.#at(0)) return;
    do this.#current++; while (this.#unreached.has(this.#at(0)));
  }

  /** Whether all nodes are among those that will refuse again. */
  exhausted(hopeless: ReadonlySet<string>): boolean {
    return hopeless.size > 0 && this.#known.every((url) => hopeless.has(url));
  }

  #at(offset: number): string {
    return this.#known[(this.#current + offset) % this.#known.length]!;
  }

  /**
   * Learns the leader from a redirect of `from` to `location`. Only another node's same `path` counts: anything else
   * comes from a proxy. `undefined` means that the node itself has to pass it on.
   *
   * @param repeatable The node may pass it on, too, where the leader was out of reach before: it may send copies of it.
   * @throws {InterfaceError} If `mapNode` fails.
   */
  redirected(
    from: string,
    location: string,
    path: string,
    repeatable = false,
  ): string | undefined {
    const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
    const endpoint = endpointOf(path);
    if (!target?.pathname.endsWith(endpoint)) return undefined;
    target.pathname = target.pathname.slice(0, -endpoint.length);
    // They are the request's.
    target.search = target.hash = "";
    const leader = this.#filter.admit(target.href);
    if (leader === undefined) {
      this.#follow(undefined);
      return undefined;
    }
    const missed = performance.now() < (this.#missed.get(leader) ?? 0);
    this.#follow(missed ? undefined : leader);
    return this.rest(leader) > 0 || (missed && repeatable) ? undefined : leader;
  }

  /** Whether a leader that was named has never answered; nobody goes there unless it is named again, until it is {@linkcode met}. */
  meets(leader: string): boolean {
    const known = this.#answers(leader);
    if (!known) this.#follow(undefined);
    return !known;
  }

  /** A leader that was named has answered. */
  met(leader: string): void {
    if (this.#met.size >= MOST_MEMBERS) this.#met.clear();
    this.#met.add(leader);
    this.#follow(leader);
  }

  #answers(leader: string): boolean {
    return this.#configured.includes(leader) || this.#met.has(leader);
  }

  #follow(leader: string | undefined): void {
    this.#leader = leader;
    this.#heard++;
  }

  /** How often calls have heard of the leader: what was asked for before is older. */
  get heard(): number {
    return this.#heard;
  }

  /** A leader that was named did not answer, and may be out of reach for good: others pass on what is its. */
  missed(leader: string): void {
    if (this.#missed.size >= MOST_MEMBERS) this.#missed.clear();
    this.#missed.set(leader, performance.now() + LONGEST_MISS);
  }

  /**
   * The node at an address that the cluster advertises, or `undefined` if it is not to be asked.
   *
   * @throws {InterfaceError} If `mapNode` fails.
   */
  admit(apiUrl: string): string | undefined {
    return this.#filter.admit(apiUrl);
  }

  /**
   * Takes the members of a cluster, at most a thousand; the configured nodes stay. The leader is taken where no call has
   * found one, and if it is one that answers: others are met by a redirect.
   *
   * @param heard What {@linkcode heard} was when the node was asked.
   * @throws {InterfaceError} If `mapNode` fails.
   */
  learn({ urls, leader }: Members, heard: number): void {
    const learned = urls.slice(0, MOST_MEMBERS).map((url) => this.admit(url))
      .filter((url) => url !== undefined);
    const current = this.#at(0);
    this.#known = [...new Set([...this.#configured, ...learned])];
    this.#current = Math.max(0, this.#known.indexOf(current));
    const named = leader && this.admit(leader);
    if (named && !this.#leader && heard === this.#heard && this.#answers(named)) {
      this.#leader = named;
    }
  }
}
