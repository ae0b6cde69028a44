import type { IncomingMessage } from "node:http";

/** What a stream holds before the connection has to wait, in bytes. */
const HIGH_WATER_MARK = 65_536;

/** What is left of a body that nobody wants is read up to this length, in bytes, to keep the connection. */
const WORTH_READING = 65_536;

/** Statuses whose answers have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** The answer that `fetch` would give. `ended` is called when nothing more of it can come. */
export function responseOf(
  message: IncomingMessage,
  method: string,
  ended: () => void,
): { readonly response: Response; readonly fail: (reason: unknown) => void } {
  const headers = new Headers();
  const { rawHeaders, statusCode: status = 0, statusMessage: statusText = "" } = message;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  }
  const { stream, fail } = streamOf(message, ended);
  if (method === "HEAD" || WITHOUT_BODY.has(status)) {
    message.resume();
    return { response: new Response(null, { status, statusText, headers }), fail };
  }
  return {
    response: new Response(decoded(stream, headers), { status, statusText, headers }),
    fail,
  };
}

/** Only a caller who asked for a compressed answer gets one. */
function decoded(stream: ReadableStream<Uint8Array<ArrayBuffer>>, headers: Headers): BodyInit {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase();
  if (encoding !== "gzip" && encoding !== "deflate") return stream;
  return stream.pipeThrough(new DecompressionStream(encoding));
}

function streamOf(
  message: IncomingMessage,
  ended: () => void,
): {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly fail: (reason: unknown) => void;
} {
  let over = false;
  let settle: { close(): void; error(reason: unknown): void };
  const end = (how: () => void): void => {
    if (over) return;
    over = true;
    how();
    ended();
  };
  const fail = (reason: unknown): void => end(() => settle.error(reason));
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      settle = controller;
      message.on("data", (chunk: Uint8Array) => {
        if (over) return;
        // A copy: the pieces of one read share their memory.
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on("end", () => end(() => controller.close()));
      message.on("error", (cause) => fail(lost(cause)));
      // That of an answer that has ended, too.
      message.on("close", () => over || fail(lost(undefined)));
    },
    pull() {
      message.resume();
    },
    cancel() {
      end(() => leave(message));
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }));
  return { stream, fail };
}

/** Gives up a body: a short one is read, so that its connection can serve again. */
function leave(message: IncomingMessage): void {
  const length = Number(message.headers["content-length"] ?? Infinity);
  if (length <= WORTH_READING) message.resume();
  else message.destroy();
}

function lost(cause: unknown): TypeError {
  return new TypeError("The connection was lost before the answer was complete", { cause });
}
