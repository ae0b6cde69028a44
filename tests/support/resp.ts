import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** What the server answered with an error. */
export class RespError extends Error {}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A small client of Redis's protocol: for the harness itself, and in the shape of the client of `@db/redis`. */
export class RespClient {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #gone: Promise<void>;
  #received = Buffer.alloc(0);
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#read(data));
    this.#gone = new Promise((resolve) => {
      socket.once("close", () => {
        this.#closed = true;
        this.#waiting.splice(0).forEach(({ reject }) => reject(new Error("connection closed")));
        resolve();
      });
    });
  }

  /** Connects once; it never connects again by itself. */
  static connect(port: number): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject).on("error", () => {}); // "close" follows
        resolve(new RespClient(socket));
      });
    });
  }

  /** As in `@db/redis`. */
  sendCommand(command: string, args: string[] = []): Promise<unknown> {
    return this.send(command, ...args);
  }

  /** Sends one command; a server's error rejects as a {@linkcode RespError}. */
  send(...args: string[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error("connection closed"));
    const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${args.length}\r\n${parts.join("")}`);
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#gone;
  }

  #read(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const reply = readReply(this.#received, 0);
      if (reply === undefined) return;
      this.#received = this.#received.subarray(reply.end);
      const { resolve, reject } = this.#waiting.shift()!;
      if (reply.value instanceof RespError) reject(reply.value);
      else resolve(reply.value);
    }
  }
}

/** One reply from that place on; `undefined` where it is not complete yet. */
function readReply(data: Buffer, at: number): { value: unknown; end: number } | undefined {
  const line = data.indexOf("\r\n", at);
  if (line < 0) return undefined;
  const text = data.toString("utf8", at + 1, line);
  const end = line + 2;
  switch (String.fromCharCode(data[at]!)) {
    case "+":
      return { value: text, end };
    case "-":
      return { value: new RespError(text), end };
    case ":":
      return { value: Number(text), end };
    case "$":
      return readText(data, end, Number(text));
    case "*":
      return readArray(data, end, Number(text));
  }
  throw new Error(`Not a reply: ${data.toString("utf8", at, line)}`);
}

function readText(data: Buffer, at: number, length: number) {
  if (length < 0) return { value: null, end: at };
  const end = at + length + 2;
  return data.length < end ? undefined : { value: data.toString("utf8", at, end - 2), end };
}

function readArray(data: Buffer, at: number, length: number) {
  if (length < 0) return { value: null, end: at };
  const value: unknown[] = [];
  for (let end = at;;) {
    if (value.length === length) return { value, end };
    const item = readReply(data, end);
    if (item === undefined) return undefined;
    value.push(item.value);
    end = item.end;
  }
}
