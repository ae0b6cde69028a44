import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { sleep } from "./http.ts";
import { type Message, takeMessage } from "./http_message.ts";

/**
 * What happens to one request:
 * - `"pass"`: it is answered.
 * - `"cut before"`: the connection is cut, and the server never sees the request.
 * - `"cut after request"`: the server does it; the connection is cut before any byte of the answer.
 * - `"cut after headers"`: the answer's headers arrive, nothing of its body.
 * - `"cut in body"`: half of the answer's body arrives.
 * - `"swallow"`: no answer ever comes, and the server never sees the request.
 * - `"swallow answer"`: the server does it, and no answer ever comes.
 * - `"pass and close"`: it is answered, then the connection is closed without notice.
 * - `{ delay }`: it is answered that many milliseconds late.
 * - `{ hold }`: the server gets it that many milliseconds late, whoever has given up meanwhile.
 * - `"twice"`: the server gets it twice, at once; the second answer arrives, unless it refuses the whole request.
 * - `{ copy }`: it is answered, and that many milliseconds later the server gets it again.
 * - `{ answer }`: it is answered with these bytes, and the server never sees it.
 * - `{ instead }`: the server does it, and it is answered with these bytes.
 */
export type Fault =
  | "pass"
  | "cut before"
  | "cut after request"
  | "cut after headers"
  | "cut in body"
  | "swallow"
  | "swallow answer"
  | "pass and close"
  | "twice"
  | { readonly copy: number }
  | { readonly delay: number }
  | { readonly hold: number }
  | { readonly answer: string }
  | { readonly instead: string };

/** A request as the proxy read it. */
export interface ProxiedRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Which connection it came on, from 0. */
  readonly connection: number;
  /** What was done to it. */
  readonly fault: Fault;
}

/** Decides what happens to a request. */
export type Plan = (request: Omit<ProxiedRequest, "fault">, index: number) => Fault;

/** A proxy in front of one node that breaks what it is told to break. */
export class Proxy {
  /** `http://127.0.0.1:…` of the server behind it; may be changed at any time. */
  target: string;
  /** Asked once per request. Replaced by {@linkcode Proxy.script}. */
  plan: Plan = () => "pass";
  /** Connections to cut as soon as they are opened. */
  refuse = 0;
  /** Connections opened so far, refused ones included. */
  connections = 0;
  /** Every request that reached the proxy, in order. */
  readonly requests: ProxiedRequest[] = [];
  /** Those of them that were handed to the server. */
  readonly forwarded: ProxiedRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #handling = new Set<Promise<void>>();
  #port = 0;

  constructor(target: string) {
    this.target = target;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Where clients connect; the same after `close()` and `listen()`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Opens the proxy, again after a `close()`. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  /** The next requests meet these faults, one each; later ones pass. Counters start at nothing. */
  script(...faults: readonly Fault[]): void {
    const left = [...faults];
    this.plan = () => left.shift() ?? "pass";
    this.reset();
  }

  /** Forgets what was counted. */
  reset(): void {
    this.connections = 0;
    this.requests.length = 0;
    this.forwarded.length = 0;
  }

  /** Cuts all connections, as a restarted server would; new ones are accepted. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Waits until the server has done all that it will be given.
   *
   * @throws {Error} If it has not within a minute, which is longer than any time limit that servers are asked to keep.
   */
  async settled(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const last = this.forwarded.slice(-5).map(({ path, body }) =>
        `${path} ${body.slice(0, 200)}`
      );
      const why = `${this.target} still has ${this.#handling.size} requests, after:`;
      late.reject(new Error([why, ...last].join("\n")));
    }, 60_000);
    await Promise.race([Promise.all(this.#handling), late.promise]);
    clearTimeout(timer);
  }

  /** Cuts all connections and refuses new ones. */
  async close(): Promise<void> {
    this.cutAll();
    await this.refuseNew();
  }

  /** Refuses new connections; resolves when the others have ended. */
  async refuseNew(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // "close" follows, which is all that matters here
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }

  #accept(client: Socket): void {
    const connection = this.connections++;
    this.#track(client);
    if (this.refuse > 0) {
      this.refuse--;
      client.destroy();
      return;
    }
    let bytes: Buffer = Buffer.alloc(0);
    let queue = Promise.resolve();
    client.on("data", (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      for (let message = takeMessage(bytes); message; message = takeMessage(bytes)) {
        const request = message;
        bytes = bytes.subarray(request.head.length + request.body.length);
        queue = queue.then(() => this.#handle(client, request, connection));
        this.#note(queue);
      }
    });
  }

  #note(work: Promise<unknown>): void {
    const noted = work.then(() => void this.#handling.delete(noted));
    this.#handling.add(noted);
  }

  async #handle(client: Socket, message: Message, connection: number): Promise<void> {
    const [method = "", path = ""] = message.startLine.split(" ");
    const { headers } = message;
    const seen = { method, path, headers, body: message.body.toString(), connection };
    const fault = this.plan(seen, this.requests.length);
    const request = { ...seen, fault };
    this.requests.push(request);
    if (fault === "swallow") return;
    if (fault === "cut before") return void client.destroy();
    if (typeof fault === "object" && "answer" in fault) return void client.write(fault.answer);
    this.forwarded.push(request);
    if (typeof fault === "object" && "hold" in fault) await sleep(fault.hold);
    const first = fault === "twice" ? await this.#forward(message, method) : undefined;
    const second = await this.#forward(message, method);
    // That a node without a leader refused it, be it the second copy alone, a client has to take for what became of it.
    const answer = first !== undefined && second?.startLine.includes(" 200 ") === false
      ? first
      : second;
    if (typeof fault === "object" && "copy" in fault) {
      this.#note(sleep(fault.copy).then(() => this.#forward(message, method)));
    }
    if (answer === undefined) return void client.destroy();
    await deliver(client, answer, fault);
  }

  /** One connection to the server per request; the answer as a whole. */
  #forward(request: Message, method: string): Promise<Message | undefined> {
    const { hostname, port } = new URL(this.target);
    const upstream = this.#track(connect(Number(port), hostname));
    return new Promise((resolve) => {
      let bytes: Buffer = Buffer.alloc(0);
      upstream.on("data", (data: Buffer) => {
        bytes = Buffer.concat([bytes, data]);
        const answer = takeMessage(bytes, method !== "HEAD");
        if (answer === undefined) return;
        resolve(answer);
        upstream.destroy();
      });
      upstream.once("close", () => resolve(undefined));
      upstream.write(Buffer.concat([request.head, request.body]));
    });
  }
}

async function deliver(client: Socket, { head, body }: Message, fault: Fault): Promise<void> {
  const half = body.subarray(0, Math.floor(body.length / 2));
  if (typeof fault === "object" && "delay" in fault) await sleep(fault.delay);
  if (typeof fault === "object" && "instead" in fault) return void client.write(fault.instead);
  switch (fault) {
    case "swallow answer":
      return;
    case "cut after request":
      return void client.destroy();
    case "cut after headers":
      return void client.end(head);
    case "cut in body":
      return void client.end(Buffer.concat([head, half]));
    case "pass and close":
      return void client.end(Buffer.concat([head, body]));
    default:
      client.write(Buffer.concat([head, body]));
  }
}

/** Starts a proxy in front of `target`, such as the `url` of a node. */
export async function startProxy(target: string): Promise<Proxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}
