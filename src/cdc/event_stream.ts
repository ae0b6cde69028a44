/** A comment, which browsers pass over; it shows proxies that somebody is there. */
const BEAT = ":\n\n";

/**
 * An answer that sends rows as server-sent events, each as soon as the reader has taken the one in front of it.
 *
 * @param heartbeat Milliseconds between signs of life.
 * @param jsonOf The text for some rows.
 */
export function eventStream<Rows>(
  rows: AsyncIterator<Rows>,
  heartbeat: number,
  jsonOf: (rows: Rows) => string,
): Response {
  const encoder = new TextEncoder();
  let gone = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Only while rows are waited for: a body that nobody reads would keep it for ever.
      const timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(BEAT));
      }, heartbeat);
      try {
        const { done, value } = await rows.next();
        if (gone) return;
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`data: ${jsonOf(value)}\n\n`));
      } finally {
        clearInterval(timer);
      }
    },
    async cancel() {
      gone = true;
      await rows.return?.();
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      // nginx holds answers back otherwise.
      "x-accel-buffering": "no",
    },
  });
}

/** JSON of rows; what it has no form for is text: integers beyond 2^53 as digits, BLOBs as base64. */
export function rowsJson(rows: readonly unknown[]): string {
  return JSON.stringify(rows, (_, value: unknown) => {
    if (typeof value === "bigint") return String(value);
    return value instanceof Uint8Array ? base64(value) : value;
  });
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
