import { embedded } from "../../src/embedded/mod.ts";

type Engine = ReturnType<typeof embedded>;

/** A request that is in the log. */
interface Entry {
  readonly url: string;
  readonly init: RequestInit;
}

/** What reached the cluster. */
export interface Seen {
  readonly node: number;
  readonly path: string;
  readonly level: string | null;
  readonly body: string;
}

/**
 * Nodes in this process, without a network or time: each applies one log, in its order, only as far as it is told to. The
 * first one leads; reads at "none" are answered by the node that is asked, as it is.
 */
export class LaggingCluster {
  /** Their addresses; the first one leads. */
  readonly urls: readonly string[];
  /** Every request, in order. */
  readonly seen: Seen[] = [];
  /** Who still takes itself for the leader, for reads at "weak". */
  believed = 0;
  /** Asked before a request is answered; what it throws is what the network does. */
  before: (seen: Seen) => unknown = () => {};
  readonly #engines: Engine[];
  readonly #log: Entry[] = [];
  readonly #applied: number[];

  constructor(size = 3) {
    this.#engines = Array.from({ length: size }, () => embedded());
    this.#applied = this.#engines.map(() => 0);
    this.urls = this.#engines.map((_, i) => `http://node${i}:4001`);
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(String(input));
    const node = this.urls.indexOf(url.origin);
    const bytes = init.body ? await new Response(init.body).arrayBuffer() : undefined;
    const body = new TextDecoder().decode(bytes);
    const seen = { node, path: url.pathname, level: url.searchParams.get("level"), body };
    this.seen.push(seen);
    await this.before(seen);
    const own = { ...init, ...(bytes && { body: bytes }) };
    if (seen.path === "/db/query") {
      if (seen.level === "none") return await this.#engines[node]!.fetch(url, own);
      const leader = seen.level === "weak" ? this.believed : 0;
      return await this.#engines[leader]!.fetch(url, own);
    }
    const answer = await this.#engines[0]!.fetch(url, own);
    if (seen.path.startsWith("/db/")) {
      const { signal: _, ...kept } = own;
      this.#log.push({ url: url.href, init: kept });
      this.#applied[0] = this.#log.length;
    }
    return answer;
  };

  /** How many entries a node has not applied. */
  lag(node: number): number {
    return this.#log.length - this.#applied[node]!;
  }

  /** Lets a node apply the next entries. */
  async apply(node: number, entries = Infinity): Promise<void> {
    const end = Math.min(this.#log.length, this.#applied[node]! + entries);
    for (let i = this.#applied[node]!; i < end; i++) {
      const { url, init } = this.#log[i]!;
      await (await this.#engines[node]!.fetch(url, init)).text();
    }
    this.#applied[node] = end;
  }

  /** Lets all nodes apply all. */
  async settle(): Promise<void> {
    for (const node of this.#engines.keys()) await this.apply(node);
  }

  /** Starts a node anew, which has to apply the log from its beginning. */
  restart(node: number): void {
    this.#engines[node]!.close();
    this.#engines[node] = embedded();
    this.#applied[node] = 0;
  }

  /** A write of another program: it enters no commit. */
  async foreign(...statements: readonly string[]): Promise<void> {
    const body = JSON.stringify(statements);
    const headers = { "content-type": "application/json" };
    await (await this.fetch(`${this.urls[0]}/db/execute`, { method: "POST", body, headers }))
      .text();
  }

  close(): void {
    for (const engine of this.#engines) engine.close();
  }
}
