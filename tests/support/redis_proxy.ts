import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy in front of a server of Redis's protocol that loses answers. */
export class RedisProxy {
  /** Cuts the connection instead of handing over an answer that is due to such a command. */
  loses: (request: string) => boolean = () => false;
  /** How many it lost. */
  lost = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param target The server's port. */
  constructor(target: number) {
    this.#server = createServer((inner) => this.#accept(inner, target));
  }

  /** Where clients connect. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async close(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(inner: Socket, target: number): void {
    const outer = connect(target, "127.0.0.1");
    let last = "";
    for (const [from, to] of [[inner, outer], [outer, inner]] as const) {
      this.#sockets.add(from);
      from.on("error", () => {}); // "close" follows
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    inner.on("data", (data) => {
      last = data.toString();
      outer.write(data);
    });
    outer.on("data", (data) => {
      if (!this.loses(last)) return inner.write(data);
      this.lost++;
      inner.destroy();
    });
  }
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startRedisProxy(target: number): Promise<RedisProxy> {
  const proxy = new RedisProxy(target);
  await proxy.listen();
  return proxy;
}
