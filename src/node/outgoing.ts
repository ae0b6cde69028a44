/** A request as it will be sent. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** What is known as a whole, or a stream of bytes. */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the arguments of `fetch`.
 *
 * @throws {TypeError} What `fetch` itself would refuse.
 */
export function outgoingOf(input: string | URL | Request, init: RequestInit = {}): Outgoing {
  if (input instanceof Request) {
    const { url, method, headers, body, signal } = new Request(input, init);
    return outgoingOf(url, { method, headers, body, signal });
  }
  const url = new URL(input);
  if (!/^https?:$/.test(url.protocol)) {
    throw new TypeError(`Cannot fetch ${url.protocol} as only http: and https: are served`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot fetch a URL with a user name or a password: send a header instead");
  }
  const method = (init.method ?? "GET").toUpperCase();
  const headers = new Headers(init.headers);
  const body = bodyOf(init.body, headers);
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot send a body with ${method}`);
  }
  return {
    url,
    method,
    headers: Object.fromEntries(headers),
    body,
    signal: init.signal ?? undefined,
  };
}

/** The body, and in `headers` its type and its length where they are known. */
function bodyOf(body: BodyInit | null | undefined, headers: Headers): Outgoing["body"] {
  if (body === null || body === undefined) return undefined;
  if (typeof body === "string") {
    label(headers, "text/plain;charset=UTF-8");
    return body;
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof ReadableStream) return body;
  if (body instanceof Blob) {
    label(headers, body.type);
    headers.set("content-length", String(body.size));
    return body.stream();
  }
  const encoded = new Response(body);
  label(headers, encoded.headers.get("content-type") ?? "");
  return encoded.body ?? undefined;
}

function label(headers: Headers, type: string): void {
  if (type !== "" && !headers.has("content-type")) headers.set("content-type", type);
}
