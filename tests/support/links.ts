import type { Buffer } from "node:buffer";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { sleep } from "./http.ts";

/** The way of bytes from one node to another. */
export class Link {
  /** Milliseconds that they take. */
  delay = 0;
  #cut: PromiseWithResolvers<void> | undefined;

  /** Lets nothing through; what is sent meanwhile arrives after `mend()`, as a network sends again what it has lost. */
  cut(): void {
    this.#cut ??= Promise.withResolvers();
  }

  /** Lets everything through, at once. */
  mend(): void {
    this.delay = 0;
    this.#cut?.resolve();
    this.#cut = undefined;
  }

  /** Whether it does anything at all. */
  get broken(): boolean {
    return this.delay > 0 || this.#cut !== undefined;
  }

  /** Resolves when bytes that were sent now have arrived. */
  async pass(): Promise<void> {
    if (this.delay > 0) await sleep(this.delay);
    while (this.#cut !== undefined) await this.#cut.promise;
  }
}

/** Tells the process that a connection comes from. */
type NodeOf = (socket: Socket) => number | undefined;

/**
 * Stands in front of what nodes say to each other: each has one address there, and each two of them a link in either
 * direction. Who has opened a connection is read from `/proc`; where there is none, or it does not say, only `to` counts.
 */
export class Links {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #links = new Map<string, Link>();
  /** The port on which each node listens. */
  readonly #targets: number[] = [];
  readonly #pids: () => readonly (number | undefined)[];

  /** @param pids The processes of the nodes, as they are at that moment. */
  constructor(pids: () => readonly (number | undefined)[]) {
    this.#pids = pids;
  }

  /** Opens so many addresses. */
  async open(nodes: number): Promise<void> {
    for (let to = 0; to < nodes; to++) {
      const server = createServer((socket) => this.#accept(socket, to));
      this.#servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
  }

  /** What node `to` tells others as its own address; it listens on the port `target`. */
  address(to: number, target: number): string {
    this.#targets[to] = target;
    const address = this.#servers[to]!.address();
    return `127.0.0.1:${address !== null && typeof address === "object" ? address.port : ""}`;
  }

  /** The link from one node to another. */
  link(from: number, to: number): Link {
    const name = `${from} ${to}`;
    const link = this.#links.get(name) ?? new Link();
    this.#links.set(name, link);
    return link;
  }

  /** All links between two nodes, those that were never used besides. */
  all(): Link[] {
    const nodes = [...this.#servers.keys()];
    return nodes.flatMap((from) =>
      nodes.filter((to) => to !== from).map((to) => this.link(from, to))
    );
  }

  /** Cuts all connections and takes no more. */
  async close(): Promise<void> {
    for (const link of this.#links.values()) link.mend();
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }

  readonly #nodeOf: NodeOf = ({ remotePort, localPort }) => {
    const socket = socketOf(remotePort!, localPort!);
    if (socket === undefined) return undefined;
    const node = this.#pids().findIndex((pid) => pid !== undefined && holds(pid, socket));
    return node < 0 ? undefined : node;
  };

  /** Whose a connection is takes a while to find out, so only while it matters. */
  #broken(link: () => Link): Link | undefined {
    for (const one of this.#links.values()) if (one.broken) return link();
    return undefined;
  }

  #accept(socket: Socket, to: number): void {
    let known: number | undefined;
    // Of somebody unknown: a number that no node has.
    const from = (): number => known ??= this.#nodeOf(socket) ?? this.#servers.length;
    const onward = connect(this.#targets[to]!, "127.0.0.1");
    for (const end of [socket, onward]) {
      this.#sockets.add(end);
      end.setNoDelay(true);
      end.on("error", () => {}); // "close" follows, which is all that matters here
      end.once("close", () => {
        this.#sockets.delete(end);
        socket.destroy();
        onward.destroy();
      });
    }
    pump(socket, onward, () => this.#broken(() => this.link(from(), to)));
    pump(onward, socket, () => this.#broken(() => this.link(to, from())));
  }
}

/** Hands on what comes, in its order, when the link lets it pass. */
function pump(source: Socket, target: Socket, link: () => Link | undefined): void {
  let queue = Promise.resolve();
  source.on("data", (bytes: Buffer) => {
    queue = queue.then(() => link()?.pass()).then(() => void target.write(bytes));
  });
  source.once("end", () => {
    queue = queue.then(() => void target.end());
  });
}

/** The number of the socket whose other end we have. */
function socketOf(port: number, ours: number): string | undefined {
  const hex = (n: number): string => `0100007F:${n.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    const text = readFileSync("/proc/net/tcp", "utf8");
    const at = text.indexOf(` ${hex(port)} ${hex(ours)} `);
    return at < 0 ? undefined : text.slice(at, at + 200).trim().split(/\s+/)[8];
  } catch {
    return undefined;
  }
}

function holds(pid: number, socket: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => linkOf(`${folder}/${fd}`) === `socket:[${socket}]`);
  } catch {
    return false; // it has ended
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // it was closed meanwhile
  }
}
