import type { Buffer } from "node:buffer";

/** The start line and headers of an HTTP/1.1 message, with all that follows them. */
export interface Message {
  readonly startLine: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes up to and with the blank line. */
  readonly head: Buffer;
  /** The bytes of the body as they were sent, chunk sizes included. */
  readonly body: Buffer;
}

/**
 * Takes the first whole message off `bytes`; `undefined` while it is incomplete. A body is measured
 * by its chunks or its `content-length`; without either there is none.
 */
export function takeMessage(bytes: Buffer, hasBody = true): Message | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const start = headEnd + 4;
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const end = hasBody ? bodyEnd(bytes, start, headers) : start;
  if (end === undefined || end > bytes.length) return undefined;
  return { startLine, headers, head: bytes.subarray(0, start), body: bytes.subarray(start, end) };
}

function bodyEnd(
  bytes: Buffer,
  start: number,
  headers: Readonly<Record<string, string>>,
): number | undefined {
  if (headers["transfer-encoding"]?.toLowerCase() !== "chunked") {
    return start + Number(headers["content-length"] ?? 0);
  }
  for (let at = start;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (size === 0) return at;
  }
}
