import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";

/** A server whose answers never end. */
export interface Endless {
  /** What follows as the first part of the path is the kind of answer: one of {@linkcode KINDS}. */
  readonly url: string;
  close(): Promise<void>;
}

/** How an answer begins, and what of it comes again and again. */
interface Kind {
  readonly head: readonly Uint8Array[];
  readonly piece: Uint8Array;
}

const BLANKS = chunk(new Uint8Array(2 ** 18).fill(0x20));
/** 64 MB of blanks in 64 kB. */
const PACKED = chunk(
  deflateRawSync(new Uint8Array(2 ** 26).fill(0x20), { finishFlush: constants.Z_FULL_FLUSH }),
);
const GZIP = chunk(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));

function chunk(bytes: Uint8Array): Buffer {
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([size, bytes, Buffer.from("\r\n")]);
}

function lines(...texts: string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\r\n`).join(""));
}

function chunked(status: string, ...headers: string[]): Kind {
  const head = [`HTTP/1.1 ${status}`, ...headers, "Transfer-Encoding: chunked", ""];
  return { head: [lines(...head)], piece: BLANKS };
}

const packed = chunked("200 OK", "Content-Encoding: gzip");

/** All kinds of answers that have no end. */
export const KINDS = {
  plain: chunked("200 OK"),
  packed: { head: [...packed.head, GZIP], piece: PACKED },
  short: chunked("200 OK", "Content-Length: 5"),
  refused: chunked("400 Bad Request"),
  denied: chunked("401 Unauthorized"),
  failed: chunked("503 Service Unavailable"),
  moved: chunked("301 Moved", "Location: /moved/db/query"),
  headers: { head: [lines("HTTP/1.1 200 OK")], piece: lines(`X-A: ${"a".repeat(60_000)}`) },
} satisfies Record<string, Kind>;

/** Serves them until it is closed. */
export async function serveEndless(): Promise<Endless> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The other side hangs up in the middle of the answer.
    socket.on("error", () => socket.destroy());
    socket.once("data", (request) => {
      const name = /^\w+ \/(\w+)/.exec(request.toString("latin1"))?.[1];
      serve(socket, KINDS[name as keyof typeof KINDS]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(socket: Socket, { head, piece }: Kind): void {
  for (const bytes of head) socket.write(bytes);
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", more);
  more();
}
