/** What an endpoint answers. */
export interface Answer {
  /** The status of HTTP. */
  readonly status: number;
  /** What is sent with it. */
  readonly body?: string | Uint8Array | undefined;
  /** The content type, undefined for none. */
  readonly type?: string | undefined;
  /** Whether the request was served as a leader serves it, which a header tells. */
  readonly served?: boolean;
  /** Where else it is, for a redirect. */
  readonly location?: string;
}

/** The content type of most answers. */
export const JSON_TYPE = "application/json; charset=utf-8";

/** The content type of errors, among others. */
export const TEXT_TYPE = "text/plain; charset=utf-8";

/** An error in plain text. */
export function failure(status: number, text: string): Answer {
  return { status, body: `${text}\n`, type: TEXT_TYPE };
}

/** The answer to a method that an endpoint does not have. */
export function wrongMethod(type?: string): Answer {
  return { status: 405, type };
}

/** An answer as a `Response`, with the headers that every answer has. */
export function toResponse(answer: Answer, host: string, method: string): Response {
  const headers = new Headers({
    "x-rqlite-version": "10",
    "access-control-allow-methods": "OPTIONS, GET, POST",
    "access-control-allow-headers": "Content-Type",
  });
  if (answer.type !== undefined) headers.set("content-type", answer.type);
  if (answer.served) headers.set("x-rqlite-served-by", host);
  if (answer.location !== undefined) headers.set("location", answer.location);
  const body = method === "HEAD" ? undefined : answer.body;
  return new Response(toBody(body), { status: answer.status, headers });
}

function toBody(body: string | Uint8Array | undefined): Uint8Array<ArrayBuffer> | null {
  // Bytes, because a text would bring a content type of its own.
  if (typeof body === "string") return new TextEncoder().encode(body);
  return body === undefined ? null : Uint8Array.from(body);
}
