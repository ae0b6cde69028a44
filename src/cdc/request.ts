import { InterfaceError } from "../errors.ts";

/** The answer to a request that the feed does not take. */
export function refusal(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, { status, headers });
}

/** The answer that makes the server send a batch again. */
export function later(text: string): Response {
  return refusal(503, text, { "retry-after": "1" });
}

/**
 * Reads the text of a request that says that it is JSON.
 *
 * @param most How many bytes it may have; nothing more is read.
 * @param signal Ends the reading.
 * @returns The text, or the answer to what is none.
 * @throws {InterfaceError} If somebody has read the body, or is reading it.
 */
export async function readJsonText(
  request: Request,
  most: number,
  signal: AbortSignal,
): Promise<string | Response> {
  const { headers, body } = request;
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") return refusal(415, "Only application/json is taken here");
  const tooLong = refusal(
    413,
    `A body may have ${most} bytes: raise maxBytes if the server sends more`,
  );
  if (Number(headers.get("content-length") ?? 0) > most) return tooLong;
  if (request.bodyUsed || body?.locked) {
    throw new InterfaceError(
      "Cannot read a request that was read before: give the feed the request as it came, or read a `clone()` of it",
    );
  }
  const reader = body?.getReader();
  const cancel = () => void reader?.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const text = reader === undefined ? "" : await readText(reader, most);
    if (text === undefined) cancel();
    return signal.aborted ? refusal(408, "The body takes too long") : text ?? tooLong;
  } catch {
    return refusal(400, "The body ends early or is not UTF-8");
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** The whole text; `undefined` if it is longer than it may be. */
async function readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (let size = 0;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > most) return undefined;
    text += decoder.decode(value, { stream: true });
  }
}

/** Whether the sender of a request knows a secret, told in a time that does not depend on how much of it is right. */
export class Secret {
  readonly #digest: Promise<Uint8Array>;

  /** @param secret What the sender has to know. */
  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /** Reads it from the password of a Basic authorization, as the server sends it, or from a Bearer token. */
  async isKnownTo({ headers }: Request): Promise<boolean> {
    const given = tokenOf(headers.get("authorization") ?? "");
    const [right, found] = await Promise.all([this.#digest, digestOf(given ?? "")]);
    let difference = given === undefined ? 1 : 0;
    for (const [i, byte] of right.entries()) difference |= byte ^ (found[i] ?? 0);
    return difference === 0;
  }
}

async function digestOf(text: string): Promise<Uint8Array> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest);
}

function tokenOf(authorization: string): string | undefined {
  const [, scheme = "", token] = /^(Basic|Bearer) +(\S+) *$/i.exec(authorization) ?? [];
  if (token === undefined || scheme.toLowerCase() === "bearer") return token;
  try {
    const bytes = Uint8Array.from(atob(token), (char) => char.charCodeAt(0));
    const user = new TextDecoder().decode(bytes);
    return user.includes(":") ? user.slice(user.indexOf(":") + 1) : undefined;
  } catch {
    return undefined; // not base64
  }
}
