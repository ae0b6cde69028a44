import { OperationalError } from "../errors.ts";

/** How much is read of an answer that is no success, in bytes: what is said in it is short. */
const MOST_OF_REFUSAL = 65_536;

/**
 * Reads the body of an answer; its bytes are counted as they are after decompression. Of a refusal that is longer, the
 * beginning is all that anybody wants.
 *
 * @param most Bytes of an answer with status 200.
 * @throws {OperationalError} If it is longer, with the code `ERR_TOO_LARGE`; nothing more of it is read.
 */
export function readText(response: Response, most: number, node: string): Promise<string> {
  const fits = response.status === 200 ? most : MOST_OF_REFUSAL;
  // A body of which nobody has asked for the stream is read faster. One without a reader is of a caller's own `fetch`.
  const reader = lengthOf(response) <= fits ? undefined : response.body?.getReader?.();
  return reader === undefined ? response.text() : readParts(reader, response.status, fits, node);
}

async function readParts(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  status: number,
  most: number,
  node: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > most) await reader.cancel().catch(() => {});
    if (size > most && status === 200) throw tooLarge(node, status, most);
    text += decoder.decode(value, { stream: true });
    // The mark keeps it from being taken for a text that ends there.
    if (size > most) return `${text.slice(0, most)}…`;
  }
}

/** Whether that is why there is no answer: another copy of a read would have the same. */
export function isTooLarge(error: unknown): error is OperationalError {
  return error instanceof OperationalError && error.code === "ERR_TOO_LARGE";
}

function tooLarge(node: string, status: number, most: number): OperationalError {
  return new OperationalError(
    `Cannot take the answer of ${node} as it is longer than \`maxResponseSize\`, ${most} bytes: ` +
      "ask for less at a time, with LIMIT or iterate(), or raise the option",
    { node, status, code: "ERR_TOO_LARGE" },
  );
}

/** The length that the connection holds the server to; `Infinity` where it may say something else. */
function lengthOf({ headers, type }: Response): number {
  const encoded = headers.has("content-encoding") || headers.has("transfer-encoding");
  // To pages of another origin the length is shown, and the encoding is not.
  if (encoded || type === "cors") return Infinity;
  return Number(headers.get("content-length") ?? Infinity);
}
